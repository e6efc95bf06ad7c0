"""The counts of the overview: how far today's candidates came, how long they waited, and what waits for a person."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Count, Q, QuerySet, Value
from django.utils import timezone

from integrations.core.invitation_status import NEED_PERSON
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import HAS_BOUNCED, Invitation
from integrations.members.models.membership import Membership
from integrations.outbox.models import Effect
from integrations.pages.access import visible
from integrations.pages.activity.candidate_filters import CandidateFilters, CandidateSearch, Step
from integrations.pages.days import duration, midnight

#: The newest invitations that are read; more would hardly change a median.
MOST = 2_000


@dataclass(frozen=True)
class Wait:
    """When a candidate was invited, and how many seconds after the stage change arrived."""

    invited_at: datetime
    seconds: float


def waits(member: Membership, since: datetime) -> Iterator[Wait]:
    """Yield the wait of each candidate that the member sees and that was invited since then; one query."""
    invited = Delivery.objects.filter(
        organization=member.organization_id,
        verdict=Delivery.VerdictCode.INVITE,
        received_at__gte=since,
        invitation__invited_at__gte=since,
    )
    times = visible(invited, member).order_by("-received_at")
    for received_at, invited_at in times.values_list("received_at", "invitation__invited_at")[:MOST]:
        if invited_at is not None:
            yield Wait(invited_at, max(0.0, (invited_at - received_at).total_seconds()))


_STATUS = Invitation.Status
_NOTES = {
    Step.MOVED: "into the stage",
    Step.STARTED: "the assessment",
    Step.SUBMITTED: "or out of time",
    Step.PASSED: "says CodeScreen",
    Step.FAILED: "says CodeScreen",
}
_TONES = {Step.PASSED: "good", Step.FAILED: "bad"}


@dataclass(frozen=True)
class Tile:
    """How many candidates came to one step today, and the list of them. `tone` is a class of the style sheet."""

    label: str
    note: str
    number: int
    url: str
    tone: str = ""


@dataclass(frozen=True)
class RoleFunnel:
    """How many candidates of one role came to each step, by its label; the role is empty for those without one."""

    role: str
    counts: list[tuple[str, int]]


@dataclass(frozen=True)
class Today:
    """What happened since midnight in the reader's time zone, together and by role."""

    tiles: list[Tile] = field(default_factory=list)
    roles: list[RoleFunnel] = field(default_factory=list)


@dataclass(frozen=True)
class Waiting:
    """How many rows wait for a person, by reason."""

    held: int
    uncertain: int
    failed_effects: int
    awaiting_decision: int
    offered: int
    bounced: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, one.name) for one in fields(self))


def today(member: Membership) -> Today:
    """Return how far the candidates that the member sees came since midnight in their time zone; two queries."""
    day = timezone.localdate()
    found = {step: CandidateFilters(step=step.value, since=day.isoformat()) for step in Step}
    counts: dict[Step, dict[str, int]] = {step: {} for step in Step}
    first, *others = [_by_role(member, filters) for filters in found.values()]
    for step, role, count in first.union(*others, all=True).order_by():
        counts[Step(step)][role] = count
    roles = sorted({role for by_role in counts.values() for role in by_role})
    notes = _NOTES | {Step.INVITED: _time_to_invite(member, midnight(day))}
    tiles = []
    for step in Step:
        number = sum(counts[step].values())
        tone = _TONES.get(step, "") if number else ""
        tiles.append(Tile(step.label, notes[step], number, found[step].url, tone))
    return Today(
        tiles,
        [RoleFunnel(role, [(step.label, counts[step].get(role, 0)) for step in Step]) for role in roles],
    )


def _by_role(member: Membership, filters: CandidateFilters) -> QuerySet[Any, Any]:
    """Return how many candidates of each role the list of these filters has: step, role, number."""
    rows = CandidateSearch(member, filters).rows().order_by()
    with_step = rows.annotate(step=Value(filters.step)).values_list("step", "role_title")
    return with_step.annotate(count=Count("pk"))


def _time_to_invite(member: Membership, since: datetime) -> str:
    seconds = [wait.seconds for wait in waits(member, since)]
    return f"within {duration(median(seconds))}" if seconds else "none yet"


def waiting_for_a_person(member: Membership) -> Waiting:
    """Return how many of the rows that the member sees wait for a person."""
    organization = member.organization
    own = visible(Invitation.objects.filter(organization=organization), member)
    awaits_decision = Q(awaits_decision_since__isnull=False)
    waiting = own.filter(Q(status__in=NEED_PERSON) | awaits_decision | HAS_BOUNCED)
    counts = waiting.aggregate(
        bounced=Count("pk", filter=HAS_BOUNCED),
        held=Count("pk", filter=Q(status=_STATUS.HELD)),
        uncertain=Count("pk", filter=Q(status=_STATUS.UNCERTAIN)),
        awaiting_decision=Count("pk", filter=awaits_decision),
    )
    failed_effects = Effect.objects.filter(organization=organization, state=Effect.State.FAILED)
    offered = Delivery.objects.offered().filter(organization=organization, due_at__isnull=True)
    return Waiting(
        **counts,
        failed_effects=visible(failed_effects, member).count(),
        offered=visible(offered, member).count(),
    )
