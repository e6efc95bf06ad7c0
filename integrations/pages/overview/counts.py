"""The counts of the overview: what happened today, and how many rows wait for a person."""

from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils import timezone

from integrations.models import Delivery, Effect, Invitation, Membership
from integrations.pages.visibility import visible

_STATUS = Invitation.Status


@dataclass(frozen=True)
class Today:
    """What happened since midnight in the reader's time zone."""

    received: int
    invited: int
    started: int
    completed: int


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
    """Return what happened to the candidates whom the member sees, since midnight in the reader's time zone."""
    organization = member.organization
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    # Whatever was invited, started or completed today also changed today, and changed_at has an index.
    changed = Invitation.objects.filter(organization=organization, changed_at__gte=midnight)
    counts = visible(changed, member).aggregate(
        invited=Count("pk", filter=Q(invited_at__gte=midnight)),
        started=Count("pk", filter=Q(started_at__gte=midnight)),
        completed=Count("pk", filter=Q(completed_at__gte=midnight)),
    )
    received = Delivery.objects.filter(organization=organization, received_at__gte=midnight)
    return Today(received=visible(received, member).count(), **counts)


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
