"""Alert rules and dashboard: what they name exists, and each rule fires when what it tells of happens, not before."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as django_settings
from django.test import Client

from integrations.queue.models.nodes import Heartbeat
from tests.portal.metrics.test_node import post
from tests.support import factories
from tests.support.metrics import TOKEN, ask, forget_requests, scrape
from tests.test_documents import anchors

OPERATING = Path(django_settings.BASE_DIR, "portal", "docs", "operating")
#: For promtool, in its own format.
PLAYED = Path(django_settings.BASE_DIR, "tests", "fixtures", "alert_rules.yaml")
PARTS = r"_(bucket|count|sum|gcount|gsum)$"


@cache
def rules() -> dict[str, Any]:
    """Return the alert rules by name."""
    groups = yaml.safe_load((OPERATING / "prometheus-rules.yaml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def expressions() -> list[str]:
    """Return what the rules and the dashboard ask of Prometheus."""
    panels = json.loads((OPERATING / "grafana-dashboard.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [*(rule["expr"] for rule in rules().values()), *asked]


@pytest.mark.promtool
def test_each_rule_fires_when_it_should_and_none_before() -> None:
    run = subprocess.run(
        ["promtool", "test", "rules", str(PLAYED)], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert set(re.findall(r'alertname="(\w+)"', PLAYED.read_text())) == set(rules())


def test_each_rule_says_what_to_do_and_where_it_is_explained() -> None:
    for name, rule in rules().items():
        said = rule["annotations"]
        assert set(said) == {"summary", "action", "see"}, name
        assert rule["labels"]["severity"] in {"critical", "warning"}
        document, _, section = said["see"].partition("#")
        assert section in anchors(OPERATING / document), name


@pytest.fixture
def portal(client: Client, settings: Any, db: None) -> Client:
    """The client of a portal in which there is something of each metric."""
    settings.METRICS_TOKEN = TOKEN
    forget_requests()
    Heartbeat.beat()
    post(client, factories.LeverWebhookFactory.create(signature_token="token-1"), "token-1")
    factories.LeverConnectionFactory.create()
    return client


def metrics(portal: Client) -> set[str]:
    """Return what a scrape has, a histogram by its one name."""
    lines = ask(portal).splitlines()
    return {re.sub(PARTS, "", line.split()[2]) for line in lines if line.startswith("# TYPE ")}


def test_what_rules_and_dashboard_ask_for_is_there_and_all_that_is_there_is_shown(portal) -> None:
    asked = {re.sub(PARTS, "", name) for one in expressions() for name in re.findall(r"\bportal_\w+", one)}
    assert asked == metrics(portal)
    labels = r'portal_\w+\{(?:status|code|duty|kind)="\w+"\}'
    played = set(re.findall(labels, PLAYED.read_text()))
    assert played
    assert played <= scrape(portal).keys()


def test_the_table_of_metrics_names_each_once(portal) -> None:
    table = (OPERATING / "observability.md").read_text().partition("| metric |")[2].partition("\n\n")[0]
    named = re.findall(r"`(portal_\w+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:]))
    assert sorted(named) == sorted(metrics(portal))
