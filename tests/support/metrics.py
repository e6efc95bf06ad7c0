"""What `/metrics` says."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from portal.metrics import node

type Values = dict[str, float]


def read(text: str) -> Values:
    """Return the values by name with labels, as `name{label="value"}`."""
    values = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            values[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return values


def scrape(client: Any) -> Values:
    """Return what a scrape reads now, where metrics are allowed."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return read(answer.content.decode())


def forget_requests() -> None:
    """Have this process count requests from 0 on again."""
    node._answers.clear()
    node._waits._metric_init()  # it has no labels that could be cleared
    node._busy.reset()
