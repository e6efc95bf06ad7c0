"""The counts of the overview: how far today's candidates came, and how many rows wait for a person."""

from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import datetime
from statistics import median

from django.db.models import Count, Q
from django.utils import timezone

from integrations.models import Candidate, Delivery, Effect, Invitation, Membership, Result
from integrations.pages.visibility import visible
from integrations.vocabulary import ResultOutcome

_STATUS = Invitation.Status
#: The newest invitations whose wait is read; more would hardly change the median.
MOST_TIMED = 500


@dataclass(frozen=True)
class Funnel:
    """How many candidates came how far."""

    moved: int = 0
    invited: int = 0
    started: int = 0
    submitted: int = 0
    passed: int = 0
    failed: int = 0

    def __add__(self, other: "Funnel") -> "Funnel":
        """Return the sum of both."""
        return Funnel(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Funnel)))


@dataclass(frozen=True)
class RoleFunnel:
    """How many candidates of one role came how far; the role is empty for those without one."""

    role: str
    funnel: Funnel


@dataclass(frozen=True)
class Today:
    """What happened since midnight in the reader's time zone, by role and together."""

    roles: list[RoleFunnel] = field(default_factory=list)
    total: Funnel = Funnel()
    seconds_to_invite: float | None = None


@dataclass(frozen=True)
class Waiting:
    """How many rows wait for a person, by reason."""

    held: int
    uncertain: int
    failed_effects: int
    awaiting_decision: int
    offered: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.held + self.uncertain + self.failed_effects + self.awaiting_decision + self.offered


def today(member: Membership) -> Today:
    """Return what happened to the candidates whom the member sees, since midnight in their time zone; four queries."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    funnels: Counter[tuple[str, str]] = Counter()
    entered = Candidate.objects.filter(organization=member.organization_id, entered_at__gte=midnight)
    moved = visible(entered, member).order_by().values_list("role_title").annotate(count=Count("pk"))
    for role, count in moved:
        funnels[role, "moved"] = count
    # Whatever was invited, started or submitted today also changed today, and changed_at has an index.
    changed = Invitation.objects.filter(organization=member.organization_id, changed_at__gte=midnight)
    steps = (
        visible(changed, member)
        .order_by()
        .values_list("role_title")
        .annotate(
            invited=Count("pk", filter=Q(invited_at__gte=midnight)),
            started=Count("pk", filter=Q(started_at__gte=midnight)),
            submitted=Count("pk", filter=Q(submitted_at__gte=midnight) | Q(completed_at__gte=midnight)),
        )
    )
    for role, *counts in steps:
        for step, count in zip(("invited", "started", "submitted"), counts, strict=True):
            funnels[role, step] = count
    stated = Result.objects.filter(
        organization=member.organization_id,
        created_at__gte=midnight,
        outcome__in=[ResultOutcome.PASSED, ResultOutcome.FAILED],
    )
    results = visible(stated, member, "invitation__opportunity_id").order_by()
    by_outcome = results.values_list("invitation__role_title", "outcome").annotate(count=Count("pk"))
    for role, outcome, count in by_outcome:
        funnels[role, "passed" if outcome == ResultOutcome.PASSED else "failed"] = count
    roles = sorted({role for role, _ in funnels})
    rows = [
        RoleFunnel(role, Funnel(**{one.name: funnels[role, one.name] for one in fields(Funnel)}))
        for role in roles
    ]
    return Today(rows, sum((row.funnel for row in rows), Funnel()), _seconds_to_invite(member, midnight))


def _seconds_to_invite(member: Membership, since: datetime) -> float | None:
    """Return the median time from stage change to invitation; None when nobody was invited since."""
    invited = Delivery.objects.filter(
        organization=member.organization_id,
        verdict=Delivery.VerdictCode.INVITE,
        received_at__gte=since,
        invitation__invited_at__gte=since,
    )
    times = visible(invited, member).order_by("-received_at")
    waits = [
        max(0.0, (invited_at - received_at).total_seconds())
        for received_at, invited_at in times.values_list("received_at", "invitation__invited_at")[:MOST_TIMED]
        if invited_at is not None
    ]
    return median(waits) if waits else None


def waiting_for_a_person(member: Membership) -> Waiting:
    """Return how many of the rows that the member sees wait for a person."""
    organization = member.organization
    own = visible(Invitation.objects.filter(organization=organization), member)
    awaits_decision = Q(awaits_decision_since__isnull=False)
    counts = own.filter(Q(status__in=[_STATUS.HELD, _STATUS.UNCERTAIN]) | awaits_decision).aggregate(
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
