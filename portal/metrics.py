"""What Prometheus reads at `/metrics`, where that is allowed.

A metric is either of the database, the same whichever node is asked, or of the node that answers: its help says which.
"""

import hmac
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import MiddlewareNotUsed
from django.db.models import Count, Min, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from integrations.clients.models import CircuitBreaker
from integrations.core.finding_code import INCIDENTS
from integrations.core.invitation_status import OPEN
from integrations.core.vocabulary import Platform
from integrations.health.checks.work import require_room
from integrations.health.models import Incident
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import REFRESH_LIFETIME, LeverConnection
from integrations.outbox.models.effect import Effect
from integrations.queue import notify
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import KEPT_FOR, Heartbeat
from integrations.store import database
from integrations.store.database import DATABASE_OUTAGE

#: Where the processes of a web server count, so that each can tell of all. Without it this process tells of itself.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: Errors that are counted from 0 on: an increase from nothing to 1 would be none to Prometheus.
WEBHOOKS, ERRORS = ("lever-webhook", "codescreen-webhook"), (500, 503)

disable_created_metrics()  # type: ignore[no-untyped-call] # several processes don't have them
_requests = Histogram(
    "portal_request_seconds",
    "Of the node: how long requests took to answer, by page or endpoint and status of the answer",
    ["view", "status"],
    registry=None,
)


# of the database


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
        down = CircuitBreaker.objects.opened()
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
    """Return for how many days the first of Lever's grants still works; without a grant there is no value."""
    left = _gauge("portal_grant_days_left", "days until the first of Lever's grants ends")
    working = LeverConnection.objects.filter(
        state=LeverConnection.State.CONNECTED, access_expires_at__isnull=False
    )
    if oldest := working.aggregate(at=Min("connected_at"))["at"]:
        left.add_metric([], (oldest + REFRESH_LIFETIME - database.now()).total_seconds() / 86_400)
    return left


# of the node


class RequestTimesMiddleware:
    """Times the requests that reach a page or an endpoint, where metrics are allowed; not probes and scrapes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        self.get_response = get_response
        with suppress(OSError):
            for view in WEBHOOKS:
                for status in ERRORS:
                    _requests.labels(view, status)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        began = time.monotonic()
        answer = self.get_response(request)
        if request.resolver_match is not None:
            view = request.resolver_match.view_name
            with suppress(OSError):  # it is answered, also where the folder was cleaned or is full
                _requests.labels(view, answer.status_code).observe(time.monotonic() - began)
        return answer


def register_node(registry: CollectorRegistry, *, is_database_well: bool) -> None:
    """Add what all processes of this node's web server tell, and whether the database works for this one."""
    if FOLDER in os.environ:
        with suppress(ValueError):  # the folder was cleaned
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_requests)
    registry.register(_Server(is_database_well))


class _Server:
    """The version that the web server runs, and whether the database works for this process."""

    def __init__(self, is_database_well: bool) -> None:
        self._is_database_well = is_database_well

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their present values."""
        info = GaugeMetricFamily("portal_info", "Of the node: 1, by version", labels=["version"])
        info.add_metric([settings.VERSION], 1)
        yield info
        yield GaugeMetricFamily(
            "portal_database_answers",
            "Of the node: 1 while the database answers it and stores a row, else 0",
            value=self._is_database_well,
        )


# the page


@never_cache
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics; 404 where no token is set, 401 to a request without it."""
    if not settings.METRICS_TOKEN:
        return HttpResponse(status=404)
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    of_database = CollectorRegistry()
    of_node = CollectorRegistry()
    of_database.register(Current())
    text, is_well = b"", False
    with suppress(*DATABASE_OUTAGE):  # a node still tells of itself
        text = generate_latest(of_database)
        require_room()
        is_well = True
    register_node(of_node, is_database_well=is_well)
    text += generate_latest(of_node)
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")
