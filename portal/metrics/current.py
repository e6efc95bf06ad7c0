"""What is under way now, by the database: rows that wait, workers, duties, and what a person should look at."""

from collections.abc import Iterable, Iterator

from django.db.models import Count, Min, Model, QuerySet
from prometheus_client.core import GaugeMetricFamily, Metric

from integrations.clients.models import CircuitBreaker
from integrations.core.finding_code import INCIDENTS
from integrations.core.invitation_status import OPEN
from integrations.core.vocabulary import Platform
from integrations.health.models import Incident
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import REFRESH_LIFETIME, LeverConnection
from integrations.outbox.models.effect import Effect
from integrations.queue import notify
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import KEPT_FOR, Heartbeat
from integrations.store import database


class Current:
    """A Prometheus collector that counts rows by partial indexes, so that history makes no scrape slower."""

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges with their present values."""
        due = _gauge("portal_due_rows", "rows that wait for a worker now", "kind")
        due.add_metric(["delivery"], Delivery.objects.due().count())
        due.add_metric(["effect"], Effect.objects.free().count())
        due.add_metric(["poll"], Invitation.objects.due_for_poll().count())
        yield due
        longest = _gauge("portal_oldest_due_seconds", "how long the longest-waiting row has waited")
        longest.add_metric([], notify.oldest_due_seconds())
        yield longest
        deferred = _gauge("portal_deferred_rows", "rows that wait to be tried again", "kind")
        deferred.add_metric(["delivery"], Delivery.objects.deferred().count())
        deferred.add_metric(["effect"], Effect.objects.deferred().count())
        yield deferred
        yield _heartbeats()
        yield _counted(
            "portal_invitations", "invitations under way", Invitation.objects.open(), "status", OPEN
        )
        failed = Effect.objects.filter(state=Effect.State.FAILED)
        yield _counted(
            "portal_effects_failed", "effects that failed for good", failed, "kind", Effect.Kind.values
        )
        yield _counted(
            "portal_duties_overdue", "duties overdue by intervals", DutyRun.objects.overdue(), "duty", Duty
        )
        yield _counted(
            "portal_duties_failing", "duties that keep failing", DutyRun.objects.failing(), "duty", Duty
        )
        down = CircuitBreaker.objects.filter(failures__gte=CircuitBreaker.FAILURES_TO_OPEN)
        yield _counted(
            "portal_breakers_open", "organizations whose platform doesn't answer", down, "platform", Platform
        )
        ongoing = Incident.objects.ongoing()
        yield _counted("portal_incidents_open", "incidents that are not over", ongoing, "code", INCIDENTS)
        yield _grant()


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    """Return a gauge of the database, to which its values are to be added."""
    return GaugeMetricFamily(name, f"Of the database: {text}", labels=labels)


def _counted(name: str, text: str, rows: QuerySet[Model], column: str, values: Iterable[str]) -> Metric:
    """Return a gauge of the rows by one column; one query. Values that no row has are 0."""
    counts = dict(rows.order_by(column).values_list(column).annotate(Count("pk")))
    metric = _gauge(name, text, column)
    for value in values:
        metric.add_metric([value], counts.get(value, 0))
    return metric


def _heartbeats() -> Metric:
    """Return since when each node's workers are silent."""
    age = _gauge("portal_heartbeat_age_seconds", "since a worker of the node last made progress", "node")
    for row in Heartbeat.objects.fresh(KEPT_FOR):
        age.add_metric([row.node], (database.now() - row.at).total_seconds())
    return age


def _grant() -> Metric:
    """Return for how many days the first of Lever's grants still works; without a connection there is no value."""
    left = _gauge("portal_grant_days_left", "days until the first of Lever's grants ends")
    working = LeverConnection.objects.filter(state=LeverConnection.State.CONNECTED)
    if oldest := working.aggregate(at=Min("connected_at"))["at"]:
        left.add_metric([], (oldest + REFRESH_LIFETIME - database.now()).total_seconds() / 86_400)
    return left
