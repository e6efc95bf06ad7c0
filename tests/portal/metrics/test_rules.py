"""Alert rules and dashboard: what they name exists, and each rule fires when what it tells of happens, not before."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as django_settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from integrations.health.models import Incident
from integrations.organizations.models.organization import Organization
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import Heartbeat
from tests.portal.metrics.test_node import post
from tests.support import factories
from tests.support.metrics import TOKEN, Values, ask, forget_requests, scrape
from tests.test_documents import anchors

OPERATING = Path(django_settings.BASE_DIR, "portal", "docs", "operating")
RULES = OPERATING / "prometheus-rules.yaml"
DASHBOARD = OPERATING / "grafana-dashboard.json"
UP = 'up{instance="web1:8000",job="portal"}'
#: From when times are bad and by when the alert fires, in minutes.
BAD_FROM, END = 10, 90
PARTS = r"_(bucket|count|sum|gcount|gsum)$"
COUNTERS = ("portal_request_seconds_",)


@cache
def rules() -> dict[str, Any]:
    """Return the alert rules by name."""
    return {
        rule["alert"]: rule
        for group in yaml.safe_load(RULES.read_text())["groups"]
        for rule in group["rules"]
    }


def expressions() -> list[str]:
    """Return what the rules and the dashboard ask of Prometheus."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [*(rule["expr"] for rule in rules().values()), *asked]


class Portal:
    """A portal in which all is well, and what may happen to it."""

    def __init__(self, client: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client, self.organization, self.monkeypatch = client, organization, monkeypatch
        self.webhook = factories.LeverWebhookFactory.create(
            organization=organization, signature_token="token-1"
        )
        self.up = 1.0
        Heartbeat.beat()
        post(client, self.webhook, "token-1")

    def values(self) -> Values:
        """Return what Prometheus has of it now."""
        return scrape(self.client) | {UP: self.up}


@pytest.fixture
def portal(client, organization, monkeypatch, settings, db):
    settings.METRICS_TOKEN = TOKEN
    forget_requests()
    return Portal(client, organization, monkeypatch)


def database_away(portal: Portal) -> None:
    def fail() -> float:
        raise OperationalError

    portal.monkeypatch.setattr("portal.metrics._grant", fail)


def webhooks_fail(portal: Portal) -> None:
    portal.monkeypatch.delattr("integrations.webhooks.views.insert_once")
    portal.client.raise_request_exception = False
    assert post(portal.client, portal.webhook, "token-1").status_code == 500


def row(factory: Any, **columns: Any) -> Callable[[Portal], object]:
    """Return what makes a row of the portal's organization."""
    return lambda portal: factory(organization=portal.organization, **columns)


def ago(**time: float) -> datetime:
    return timezone.now() - timedelta(**time)


BAD: dict[str, Callable[[Portal], object]] = {
    "PortalNodeDown": lambda portal: setattr(portal, "up", 0.0),
    "PortalDatabaseAway": database_away,
    "PortalNoWorkers": lambda portal: Heartbeat.objects.all().delete(),
    "PortalWebhooksFail": webhooks_fail,
    "PortalWorkLate": row(factories.EffectFactory.create, due_at=ago(hours=1)),
    "PortalDutiesLate": row(DutyRun.objects.create, duty=Duty.SWEEP, failures=3),
    "PortalUncertain": row(factories.InvitationFactory.create, status="uncertain"),
    "PortalEffectsFailed": row(factories.EffectFactory.create, state="failed", due_at=None),
    "PortalMail": row(Incident.objects.create, code="messages_unsent"),
    "PortalGrantEnds": row(factories.LeverConnectionFactory.create, connected_at=ago(days=360)),
    "PortalIncident": row(Incident.objects.create, code="platform_down"),
}


def course(name: str, good: float | None, bad: float | None) -> str:
    """Return a series in promtool's notation: what was scraped in good times, then in bad ones.

    A counter goes on by what one scrape adds each minute.
    """
    if not name.startswith(COUNTERS):
        parts = ((good, BAD_FROM - 1), (bad, END - BAD_FROM))
        return " ".join(
            f"_x{length + 1}" if value is None else f"{value}x{length}" for value, length in parts
        )
    good, bad = good or 0.0, bad or 0.0
    return f"{good}+{good}x{BAD_FROM - 1} {good * BAD_FROM}+{max(0.0, bad - good)}x{END - BAD_FROM}"


def firing(good: Values, bad: Values, alert: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Have promtool look whether the alert fires in the bad times, and no alert at all in the good ones."""
    series = [
        {"series": name, "values": course(name, good.get(name), bad.get(name))}
        for name in sorted({*good, *bad})
    ]
    asked = [
        {"expr": "count(ALERTS)", "eval_time": f"{BAD_FROM - 1}m", "exp_samples": []},
        {
            "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) >= bool 1',
            "eval_time": f"{END}m",
            "exp_samples": [{"labels": "{}", "value": 1}],
        },
    ]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": asked}
    file = folder / "test.yaml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    return subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.promtool
@pytest.mark.parametrize("alert", BAD)
def test_a_rule_fires_when_it_should_and_none_before(portal, alert, tmp_path) -> None:
    good = portal.values()
    BAD[alert](portal)
    run = firing(good, portal.values(), alert, tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr


def test_each_rule_says_what_to_do_and_where_it_is_explained() -> None:
    assert set(rules()) == set(BAD)
    for name, rule in rules().items():
        said = rule["annotations"]
        assert set(said) == {"summary", "action", "see"}, name
        assert rule["labels"]["severity"] in {"critical", "warning"}
        document, _, section = said["see"].partition("#")
        assert section in anchors(OPERATING / document), name


def metrics(portal: Portal) -> set[str]:
    """Return what a scrape has, a histogram by its one name."""
    text = ask(portal.client)
    return {re.sub(PARTS, "", line.split()[2]) for line in text.splitlines() if line.startswith("# TYPE ")}


def test_what_rules_and_dashboard_ask_for_is_there_and_all_that_is_there_is_shown(portal) -> None:
    asked = {re.sub(PARTS, "", name) for one in expressions() for name in re.findall(r"\bportal_\w+", one)}
    assert asked == metrics(portal)


def test_the_table_of_metrics_names_each_once(portal) -> None:
    table = (OPERATING / "observability.md").read_text().partition("| metric |")[2].partition("\n\n")[0]
    named = re.findall(r"`(portal_\w+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:]))
    assert sorted(named) == sorted(metrics(portal))
