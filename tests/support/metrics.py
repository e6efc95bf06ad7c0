"""What `/metrics` says."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from portal import metrics

type Values = dict[str, float]

TOKEN = "a-token-of-metrics"


def read(text: str) -> Values:
    """Return the values by name with labels, as `name{label="value"}`."""
    values = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            values[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return values


def ask(client: Any) -> str:
    """Return the page that Prometheus reads, where METRICS_TOKEN is TOKEN."""
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def scrape(client: Any) -> Values:
    """Return what a scrape reads now, where METRICS_TOKEN is TOKEN."""
    return read(ask(client))


def forget_requests() -> None:
    """Have this process count requests from 0 on again."""
    metrics._requests.clear()
