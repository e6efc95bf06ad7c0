"""What happened in the last minutes, by the rows that tell of it: calls, verdicts, invitations, repairs, checks.

Rows are found by the time at which they were written, so that a scrape takes no longer as the tables grow.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Now
from prometheus_client.core import GaugeHistogramMetricFamily, Metric

from integrations.clients.models import ApiCall
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import DeliveryEvent, VerdictCause
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect
from portal.metrics.current import gauge

WINDOW = timedelta(minutes=5)
LATELY = f", in the last {WINDOW // timedelta(minutes=1)} minutes"
#: Upper bounds in seconds.
OF_CALLS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
OF_WORK = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
NO_ANSWER = "none"
SECOND = timedelta(seconds=1)


class Recent:
    """A Prometheus collector of what was written within WINDOW."""

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their present values."""
        since = Now() - WINDOW
        yield _histogram(
            "portal_call_seconds",
            "how long the stored calls took, by platform and status; a read with the same answer is stored once",
            ApiCall.objects.filter(at__gte=since).annotate(took=F("duration_ms")),
            OF_CALLS,
            1000,
            ["platform", "status"],
        )
        first = Verdict.objects.filter(decided_at__gte=since, cause=VerdictCause.FIRST)
        yield _histogram(
            "portal_verdict_seconds",
            "from the webhook to its first verdict",
            first.annotate(took=F("decided_at") - F("delivery__received_at")),
            OF_WORK,
            SECOND,
        )
        sent = Invitation.objects.filter(invited_at__gte=since)
        # what waited for a person or a connection isn't late
        led_to_it = Verdict.objects.filter(
            invitation=OuterRef("pk"), code=VerdictCode.INVITE, cause=VerdictCause.FIRST
        )
        received = Subquery(led_to_it.order_by("pk").values("delivery__received_at")[:1])
        prompt = sent.filter(effects__kind=Effect.Kind.SEND_INVITATION, effects__retry_window_started_at=None)
        yield _histogram(
            "portal_invitation_seconds",
            "from the webhook to the invitation, where nothing had to be waited for",
            prompt.annotate(received=received, took=F("invited_at") - F("received")).exclude(received=None),
            OF_WORK,
            SECOND,
        )
        yield gauge("portal_invitations_sent", f"invitations sent{LATELY}", value=sent.count())
        repairs = Delivery.objects.filter(
            received_at__gte=since, event=DeliveryEvent.SWEEP, invitation__isnull=False
        )
        text = f"invitations that the sweep led to, and no webhook{LATELY}"
        yield gauge("portal_sweep_repairs", text, value=repairs.count())


def _histogram(
    name: str,
    text: str,
    rows: QuerySet[Any],
    bounds: Sequence[float],
    second: Any,
    labels: Sequence[str] = (),
) -> Metric:
    """Return how long the rows `took`, whose unit `second` says; one query."""
    metric = GaugeHistogramMetricFamily(name, f"Of the database: {text}{LATELY}", labels=labels)
    sums: dict[str, Any] = {
        f"within_{number}": Count("pk", filter=Q(took__lte=bound * second))
        for number, bound in enumerate(bounds)
    }
    sums |= {"count": Count("pk"), "sum": Sum("took")}
    groups = rows.order_by().values(*labels).annotate(**sums) if labels else [rows.aggregate(**sums)]
    for group in groups:
        buckets = [(str(bound), group[f"within_{number}"]) for number, bound in enumerate(bounds)]
        buckets.append(("+Inf", group["count"]))
        values = [str(group[label] or NO_ANSWER) for label in labels]
        metric.add_metric(values, buckets, (group["sum"] or 0 * second) / second)
    return metric
