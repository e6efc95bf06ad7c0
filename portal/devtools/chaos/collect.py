"""Collect what a run left behind: the platforms' books, the portal's rows, and when work was finished."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import requests
from django.db.models import Count, Sum

from integrations.models import Delivery, Effect, Invitation
from integrations.vocabulary import DeliveryEvent
from portal.devtools.chaos.faults import Interruption
from portal.devtools.chaos.tenants import SECOND_TRIGGER, TRIGGER
from portal.devtools.chaos.verify import Evidence, Row
from portal.devtools.demo.environment import Stage
from portal.devtools.sandbox.json_values import JsonObject

BOOKS_SECONDS = 120
FINISHED_BY_SWEEP = ("invite", "held_for_approval")


def books(address: str, slug: str) -> JsonObject:
    """Return what a platform has written down about one account."""
    answer = requests.get(f"{address}/_control/ledger", params={"account": slug}, timeout=BOOKS_SECONDS)
    answer.raise_for_status()
    found: JsonObject = answer.json()["accounts"][slug]
    return found


def trigger_stages(stage: Stage, slug: str) -> set[str]:
    """Return the ids of the stages in which candidates are to be invited."""
    answer = requests.get(f"{stage.lever_url}/_control/accounts/{slug}", timeout=BOOKS_SECONDS).json()
    return {item["id"] for item in answer["stages"] if item["text"] in (TRIGGER, SECOND_TRIGGER)}


def collect(
    stage: Stage,
    slug: str,
    moved: Collection[str],
    interruptions: Iterable[Interruption],
    has_webhooks: bool = False,
) -> Evidence:
    """Return one organization's evidence."""
    intents = dict(
        Effect.objects.filter(
            organization__slug=slug, kind=Effect.Kind.SEND_INVITATION, attempt_started_at__isnull=False
        ).values_list("invitation_id", "attempt_started_at")
    )
    rows = []
    for invitation in Invitation.objects.filter(organization__slug=slug):
        intent = intents.get(invitation.pk)
        at = intent.timestamp() if intent else None
        rows.append(Row(invitation.opportunity_id, invitation.status, at))
    heard = Delivery.objects.filter(organization__slug=slug, platform=Delivery.Platform.LEVER)
    return Evidence(
        lever=books(stage.lever_url, slug),
        codescreen=books(stage.codescreen_url, slug),
        rows=rows,
        moved=moved,
        trigger_stages=trigger_stages(stage, slug),
        heard=set(heard.values_list("opportunity_id", flat=True)),
        interruptions=[item.at for item in interruptions if item.kind == "workers"],
        has_webhooks=has_webhooks,
    )


def verdicts() -> dict[str, int]:
    """Return how many deliveries got which verdict."""
    rows = Delivery.objects.exclude(verdict="").values_list("verdict").annotate(Count("pk"))
    return dict(sorted(rows, key=lambda row: -row[1]))


def repaired() -> int:
    """Return how many candidates only the sweep found."""
    return Delivery.objects.filter(event=DeliveryEvent.SWEEP, verdict__in=FINISHED_BY_SWEEP).count()


def repeats() -> int:
    """Return how many webhooks the portal recognised as told before."""
    return int(Delivery.objects.aggregate(sum=Sum("repeats"))["sum"] or 0)


def finishes() -> list[float]:
    """Return when each delivery was decided and each effect done, in order."""
    decided = Delivery.objects.filter(decided_at__isnull=False).values_list("decided_at", flat=True)
    done = Effect.objects.filter(done_at__isnull=False).values_list("done_at", flat=True)
    return sorted(moment.timestamp() for moment in [*decided, *done] if moment is not None)


def longest_recovery(interruptions: Iterable[Interruption], moments: list[float]) -> tuple[float, str]:
    """Return the longest time from an interruption to the next finished piece of work, and after which it was."""
    waits = [(0.0, "nothing")]
    for interruption in interruptions:
        place = bisect_right(moments, interruption.at)
        if place < len(moments):
            at = datetime.fromtimestamp(interruption.at, UTC)
            waits.append((moments[place] - interruption.at, f"{interruption.kind} at {at:%H:%M:%S}"))
    return max(waits)


def calls(lever: JsonObject) -> Counter[int]:
    """Return how many API calls an account of Lever's answered, by status."""
    found: Counter[int] = Counter()
    for entry in lever["calls"]:
        found[entry["status"]] += entry["count"]
    return found
