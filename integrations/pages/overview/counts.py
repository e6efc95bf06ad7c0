"""The counts of the overview: how far today's candidates came, and how many rows wait for a person."""

from collections import Counter
from dataclasses import dataclass, field, fields
from statistics import median

from django.db.models import Count, Q
from django.utils import timezone

from integrations.models import Candidate, Delivery, Effect, Invitation, Membership, Result
from integrations.pages.days import midnight
from integrations.pages.overview.time_to_invite import waits
from integrations.pages.sums import Summable
from integrations.pages.visibility import visible
from integrations.vocabulary import ResultOutcome

_STATUS = Invitation.Status


@dataclass(frozen=True)
class Funnel(Summable):
    """How many candidates came how far."""

    moved: int = 0
    invited: int = 0
    started: int = 0
    submitted: int = 0
    passed: int = 0
    failed: int = 0


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
    seconds_to_invite: float | None = None  # the median; None when nobody was invited


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
    """Return what happened to the candidates whom the member sees, since midnight in their time zone; four queries."""
    since = midnight(timezone.localdate())
    funnels: Counter[tuple[str, str]] = Counter()
    entered = Candidate.objects.filter(organization=member.organization_id, entered_at__gte=since)
    moved = visible(entered, member).order_by().values_list("role_title").annotate(count=Count("pk"))
    for role, count in moved:
        funnels[role, "moved"] = count
    # Whatever was invited, started or submitted today also changed today, and changed_at has an index.
    changed = Invitation.objects.filter(organization=member.organization_id, changed_at__gte=since)
    steps = (
        visible(changed, member)
        .order_by()
        .values_list("role_title")
        .annotate(
            invited=Count("pk", filter=Q(invited_at__gte=since)),
            started=Count("pk", filter=Q(started_at__gte=since)),
            submitted=Count("pk", filter=Q(submitted_at__gte=since) | Q(completed_at__gte=since)),
        )
    )
    for role, *counts in steps:
        for step, count in zip(("invited", "started", "submitted"), counts, strict=True):
            funnels[role, step] = count
    stated = Result.objects.of_latest_attempts().filter(
        organization=member.organization_id,
        created_at__gte=since,
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
    seconds = [wait.seconds for wait in waits(member, since)]
    return Today(rows, sum((row.funnel for row in rows), Funnel()), median(seconds) if seconds else None)


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
        bounced=own.bounced().count(),
    )
