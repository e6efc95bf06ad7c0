"""Metrics in Prometheus' format, computed at each scrape from what is under way: no table is counted as a whole."""

import hmac
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from integrations.invitation_status import OPEN
from integrations.models import ApiCall, Delivery, DutyRun, Effect, Heartbeat, Invitation, db_clock
from integrations.queue import liveness
from integrations.vocabulary import Platform


class _Tables:
    """A Prometheus collector that counts rows by partial indexes, so that history makes no scrape slower."""

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges with their present values."""
        due = GaugeMetricFamily("portal_due_rows", "Rows that wait for a worker now", labels=["kind"])
        due.add_metric(["delivery"], Delivery.objects.due().count())
        due.add_metric(["effect"], Effect.objects.free().count())
        due.add_metric(["poll"], Invitation.objects.due_for_poll().count())
        yield due
        yield GaugeMetricFamily(
            "portal_oldest_due_seconds",
            "How long the longest-waiting row has waited",
            value=liveness.oldest_due_seconds(),
        )
        heartbeats = GaugeMetricFamily(
            "portal_heartbeat_age_seconds", "Since a worker of the node last made progress", labels=["node"]
        )
        for node, at in Heartbeat.objects.newest_by_node().items():
            heartbeats.add_metric([node], (db_clock.now() - at).total_seconds())
        yield heartbeats
        yield from _duties()
        yield _counted(
            "portal_invitations", "Invitations under way", Invitation.objects.open(), "status", OPEN
        )
        failed = Effect.objects.filter(state=Effect.State.FAILED)
        yield _counted(
            "portal_effects_failed", "Effects that failed for good", failed, "kind", Effect.Kind.values
        )
        yield _counted(
            "portal_api_calls_refused",
            "Calls on record that the platform's rate limit refused",
            ApiCall.objects.refused(),
            "platform",
            Platform,
        )


def _counted(
    name: str, documentation: str, rows: QuerySet[Model], column: str, values: Iterable[str]
) -> Metric:
    """Return a gauge of the rows by one column; one query. Values that no row has are 0."""
    counts = dict(rows.order_by(column).values_list(column).annotate(Count("pk")))
    metric = GaugeMetricFamily(name, documentation, labels=[column])
    for value in values:
        metric.add_metric([value], counts.get(value, 0))
    return metric


def _duties() -> Iterator[Metric]:
    """Yield the gauges of the duties, each by duty over all organizations; one query."""
    overdue = GaugeMetricFamily("portal_duties_overdue", "Duties overdue by intervals", labels=["duty"])
    failing = GaugeMetricFamily("portal_duties_failing", "Duties that keep failing", labels=["duty"])
    duration = GaugeMetricFamily(
        "portal_duty_seconds", "How long the last runs of a duty took on average", labels=["duty"]
    )
    for row in DutyRun.objects.summary():
        overdue.add_metric([row.duty], row.overdue)
        failing.add_metric([row.duty], row.failing)
        duration.add_metric([row.duty], row.mean_seconds)
    yield from (overdue, failing, duration)


@never_cache
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics; 404 unless they are allowed, 401 without the bearer token if there is one."""
    token = settings.METRICS_TOKEN
    if not (settings.METRICS_ENABLED or token):
        return HttpResponse(status=404)
    given = request.headers.get("Authorization", "")
    if token and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(_Tables())
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")
