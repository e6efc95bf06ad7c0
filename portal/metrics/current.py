"""What is under way now, by the database: rows that wait, duties, workers, limits, and what a person should look at."""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Model, QuerySet
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from integrations.clients.limits import longest_wait
from integrations.clients.models import CircuitBreaker
from integrations.core.finding_code import INCIDENTS
from integrations.core.invitation_status import OPEN
from integrations.core.vocabulary import Platform
from integrations.health.models import Incident
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import REFRESH_LIFETIME, LeverConnection
from integrations.notifications.models.preferences import AlertAddress
from integrations.outbox.models import Effect
from integrations.queue import notify
from integrations.queue.models.duty_run import DutyRun
from integrations.queue.models.nodes import KEPT_FOR, Heartbeat
from integrations.store import database


class Current:
    """A Prometheus collector that counts rows by partial indexes, so that history makes no scrape slower."""

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges with their present values."""
        due = gauge("portal_due_rows", "rows that wait for a worker now", "kind")
        due.add_metric(["delivery"], Delivery.objects.due().count())
        due.add_metric(["effect"], Effect.objects.free().count())
        due.add_metric(["poll"], Invitation.objects.due_for_poll().count())
        yield due
        seconds = notify.oldest_due_seconds()
        yield gauge("portal_oldest_due_seconds", "how long the longest-waiting row has waited", value=seconds)
        yield from _duties()
        yield from _workers()
        yield _counted(
            "portal_invitations", "invitations under way", Invitation.objects.open(), "status", OPEN
        )
        failed = Effect.objects.filter(state=Effect.State.FAILED)
        yield _counted(
            "portal_effects_failed", "effects that failed for good", failed, "kind", Effect.Kind.values
        )
        yield from _limits()
        ongoing = Incident.objects.ongoing()
        yield _counted("portal_incidents_open", "incidents that are not over", ongoing, "code", INCIDENTS)
        stopped = AlertAddress.objects.filter(is_on=True, stopped_at__isnull=False).count()
        yield gauge("portal_alert_addresses_stopped", "alert addresses that refused an alert", value=stopped)
        yield from _connections()


def gauge(name: str, text: str, *labels: str, value: float | None = None) -> GaugeMetricFamily:
    """Return a gauge of the database: with a value, or with labels whose values are to be added."""
    return GaugeMetricFamily(name, f"Of the database: {text}", value=value, labels=labels or None)


def _counted(name: str, text: str, rows: QuerySet[Model], column: str, values: Iterable[str]) -> Metric:
    """Return a gauge of the rows by one column; one query. Values that no row has are 0."""
    counts = dict(rows.order_by(column).values_list(column).annotate(Count("pk")))
    metric = gauge(name, text, column)
    for value in values:
        metric.add_metric([value], counts.get(value, 0))
    return metric


def _duties() -> Iterator[Metric]:
    """Yield the gauges of the duties, each by duty over all organizations; one query."""
    overdue = gauge("portal_duties_overdue", "duties overdue by intervals", "duty")
    failing = gauge("portal_duties_failing", "duties that keep failing", "duty")
    duration = gauge("portal_duty_seconds", "how long the last runs of a duty took on average", "duty")
    for summary in DutyRun.objects.summary():
        overdue.add_metric([summary.duty], summary.overdue)
        failing.add_metric([summary.duty], summary.failing)
        duration.add_metric([summary.duty], summary.mean_seconds)
    yield from (overdue, failing, duration)


def _workers() -> Iterator[Metric]:
    """Yield what the worker processes of all nodes write of themselves each second; one query."""
    age = gauge("portal_heartbeat_age_seconds", "since a worker of the node last made progress", "node")
    info = gauge("portal_worker_info", "1, by worker process and version", "node", "process", "version")
    memory = gauge("portal_worker_memory_bytes", "resident memory of a worker process", "node", "process")
    text = "Of the database: CPU time of a worker process"
    cpu = CounterMetricFamily("portal_worker_cpu_seconds", text, labels=["node", "process"])
    files = gauge("portal_worker_open_files", "open files of a worker process", "node", "process")
    newest: dict[str, float] = {}
    for row in Heartbeat.objects.fresh(KEPT_FOR):
        seconds = (database.now() - row.at).total_seconds()
        newest[row.node] = min(seconds, newest.get(row.node, seconds))
        process = [row.node, str(row.process)]
        info.add_metric([*process, row.version], 1)
        memory.add_metric(process, row.memory_bytes)
        cpu.add_metric(process, row.cpu_seconds)
        files.add_metric(process, row.open_files)
    for node, seconds in newest.items():
        age.add_metric([node], seconds)
    yield from (age, info, memory, cpu, files)


def _limits() -> Iterator[Metric]:
    """Yield what keeps calls from being made: rate limits, platforms that don't answer, and grants that end."""
    yield gauge(
        "portal_rate_limit_wait_seconds",
        "how long the next call waits for the rate limit, of the account that has most to do",
        value=longest_wait(),
    )
    down = CircuitBreaker.objects.filter(failures__gte=CircuitBreaker.FAILURES_TO_OPEN)
    yield _counted(
        "portal_breakers_open", "organizations whose platform doesn't answer", down, "platform", Platform
    )
    left = gauge("portal_grant_days_left", "days until the first of Lever's grants ends")
    working = LeverConnection.objects.filter(state=LeverConnection.State.CONNECTED)
    if oldest := working.aggregate(at=Min("connected_at"))["at"]:
        left.add_metric([], (oldest + REFRESH_LIFETIME - database.now()).total_seconds() / 86_400)
    yield left


def _connections() -> Iterator[Metric]:
    """Yield how many connections PostgreSQL has, and how many it allows."""
    used = gauge("portal_database_connections", "connections to PostgreSQL, the portal's and others'")
    most = gauge("portal_database_connections_limit", "how many connections PostgreSQL allows")
    if not settings.IS_SQLITE:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*), current_setting('max_connections') FROM pg_stat_activity")
            count, limit = cursor.fetchone()
        used.add_metric([], count)
        most.add_metric([], float(limit))
    yield from (used, most)
