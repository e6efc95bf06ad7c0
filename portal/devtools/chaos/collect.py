"""Collects what a run left behind: the platforms' ledgers, the portal's rows, and when work was finished."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from django.db.models import Count, Sum

from integrations.models import Delivery, Effect, Invitation
from integrations.verdict_code import INVITING_VERDICTS
from integrations.vocabulary import DeliveryEvent, Platform
from portal.devtools.chaos.fault_injector import Interrupted, Interruption
from portal.devtools.chaos.tenants import SECOND_TRIGGER, TRIGGER
from portal.devtools.chaos.verification import Evidence, InvitationRow
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.json_values import JsonObject


def collect_evidence(
    environment: DemoEnvironment,
    slug: str,
    moved: Collection[str],
    interruptions: Iterable[Interruption] = (),
    has_webhooks: bool = False,
) -> Evidence:
    """Return one organization's evidence."""
    stages = environment.lever.account(slug)["stages"]
    deliveries = Delivery.objects.filter(organization__slug=slug, platform=Platform.LEVER)
    return Evidence(
        lever=environment.lever.ledger(slug),
        codescreen=environment.codescreen.ledger(slug),
        rows=_invitation_rows(slug),
        moved=moved,
        trigger_stages={stage["id"] for stage in stages if stage["text"] in (TRIGGER, SECOND_TRIGGER)},
        with_delivery=set(deliveries.values_list("opportunity_id", flat=True)),
        worker_kills=[item.at for item in interruptions if item.what is Interrupted.WORKERS],
        has_webhooks=has_webhooks,
    )


def _invitation_rows(slug: str) -> list[InvitationRow]:
    attempts = dict(
        Effect.objects.filter(
            organization__slug=slug, kind=Effect.Kind.SEND_INVITATION, attempt_started_at__isnull=False
        ).values_list("invitation_id", "attempt_started_at")
    )
    rows = []
    for invitation in Invitation.objects.filter(organization__slug=slug):
        attempt = attempts.get(invitation.pk)
        began = attempt.timestamp() if attempt else None
        rows.append(InvitationRow(invitation.opportunity_id, invitation.status, began))
    return rows


def count_verdicts() -> dict[str, int]:
    """Return how many deliveries got which verdict, the most frequent first."""
    rows = Delivery.objects.exclude(verdict="").values_list("verdict").annotate(Count("pk"))
    return dict(sorted(rows, key=lambda row: -row[1]))


def count_invited_by_sweep() -> int:
    """Return how many candidates only the sweep found."""
    return Delivery.objects.filter(event=DeliveryEvent.SWEEP, verdict__in=INVITING_VERDICTS).count()


def count_repeats() -> int:
    """Return how many webhooks the portal recognised as received before."""
    return int(Delivery.objects.aggregate(sum=Sum("repeats"))["sum"] or 0)


def finish_times() -> list[float]:
    """Return when each delivery was decided and each effect done, in order."""
    decided = Delivery.objects.filter(decided_at__isnull=False).values_list("decided_at", flat=True)
    done = Effect.objects.filter(done_at__isnull=False).values_list("done_at", flat=True)
    return sorted(moment.timestamp() for moment in [*decided, *done] if moment is not None)


def longest_recovery(interruptions: Iterable[Interruption], finished: list[float]) -> tuple[float, str]:
    """Return the longest time from an interruption to the next finished piece of work, and which one it was."""
    recoveries = [(0.0, "nothing")]
    for interruption in interruptions:
        index = bisect_right(finished, interruption.at)
        if index < len(finished):
            at = datetime.fromtimestamp(interruption.at, UTC)
            recoveries.append((finished[index] - interruption.at, f"{interruption.what} at {at:%H:%M:%S}"))
    return max(recoveries)


def count_calls(lever: JsonObject) -> Counter[int]:
    """Return how many API calls a Lever account answered, by status."""
    calls: Counter[int] = Counter()
    for entry in lever["calls"]:
        calls[entry["status"]] += entry["count"]
    return calls
