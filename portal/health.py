"""Health probes and metrics, computed from the tables at each request."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_q.brokers import get_broker
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from integrations.models import ApiCall, Delivery, Effect, Heartbeat, Invitation
from integrations.queue import liveness
from integrations.vocabulary import Platform

OLDEST_DUE_LIMIT_SECONDS = 120
WORKERS_SILENT_AFTER = timedelta(seconds=90)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(plan)} not applied" if plan else "ok"


def _broker() -> str:
    return "ok" if get_broker().ping() else "no answer"


def _workers() -> str:
    if liveness.is_stalled():
        return "stalled: rows are due and no worker processes them"
    return "ok" if Heartbeat.is_fresh(liveness.DRAIN, WORKERS_SILENT_AFTER) else "silent"


def _oldest_due() -> str:
    seconds = liveness.oldest_due_seconds()
    return "ok" if seconds < OLDEST_DUE_LIMIT_SECONDS else f"{int(seconds)} s"


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "workers": _workers,
    "oldest_due": _oldest_due,
}


@never_cache
@login_not_required
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer 200: the process is alive."""
    return JsonResponse({"status": "ok"})


@never_cache
@login_not_required
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 when every part works, else 503; the body names each part with its state."""
    parts: dict[str, str] = {}
    for name, check in PARTS.items():
        try:
            parts[name] = check()
        except Exception as error:  # noqa: BLE001 - any error is the state of that part
            parts[name] = f"failed: {type(error).__name__}"
    is_ready = all(state == "ok" for state in parts.values())
    body = {"status": "ok" if is_ready else "unavailable", "parts": parts}
    return JsonResponse(body, status=200 if is_ready else 503)


class _Tables:
    """A Prometheus collector that counts rows when it is scraped."""

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges with their present values."""
        due = GaugeMetricFamily("portal_due_rows", "Rows that wait for a worker now", labels=["kind"])
        due.add_metric(["delivery"], Delivery.objects.due().count())
        due.add_metric(["effect"], Effect.objects.due().count())
        due.add_metric(["poll"], Invitation.objects.due_for_poll().count())
        yield due
        yield GaugeMetricFamily(
            "portal_oldest_due_seconds",
            "How long the longest-waiting row has waited",
            value=liveness.oldest_due_seconds(),
        )
        invitations = GaugeMetricFamily("portal_invitations", "Invitations by status", labels=["status"])
        for status in Invitation.Status:
            invitations.add_metric([status], Invitation.objects.filter(status=status).count())
        yield invitations
        failed = GaugeMetricFamily("portal_effects_failed", "Effects that failed for good", labels=["kind"])
        for kind in Effect.Kind.values:
            failed.add_metric([kind], Effect.objects.filter(kind=kind, state=Effect.State.FAILED).count())
        yield failed
        calls = GaugeMetricFamily(
            "portal_api_calls_refused", "Calls the platform's rate limit refused", labels=["platform"]
        )
        for platform in Platform:
            calls.add_metric([platform], ApiCall.objects.filter(platform=platform, status=429).count())
        yield calls


@never_cache
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format; 404 unless METRICS_ENABLED."""
    if not settings.METRICS_ENABLED:
        raise Http404
    registry = CollectorRegistry()
    registry.register(_Tables())
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")
