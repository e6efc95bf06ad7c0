"""Find the candidates who wait so long that Lever is to say so: not every recruiter opens the portal.

The end of a wait is seen by the tag. One that ends soon leaves no note.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from integrations.case.reconcile import changing
from integrations.case.wanted import WAITING_STATUSES
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import TOLD_AFTER
from integrations.outbox.models.effect import Effect

#: In one turn of the duty, which is each minute, of each kind; Lever allows 600 calls in that time.
MOST_AT_ONCE = 100

_wanted = Q(
    organization__note_on_wait=True, organization__lever_connection__state=LeverConnection.State.CONNECTED
)
_notes = Effect.objects.filter(kind=Effect.Kind.LEAVE_NOTE)


def organizations_with_untold_waits() -> set[int]:
    """Return the organizations for whose candidates a note is due; a few queries over all of them."""
    rows = (*map(_untold, WAITING_STATUSES), _untold_pauses())
    return {pk for each in rows for pk in each.order_by().values_list("organization", flat=True).distinct()}


def tell_waits(organization: Organization) -> None:
    """Let Lever say who has waited for long. Safe to run twice and at once: a wait has one note."""
    for status in WAITING_STATUSES:
        for invitation in _untold(status).filter(organization=organization).order_by("pk")[:MOST_AT_ONCE]:
            with changing(organization, invitation.opportunity_id):
                pass  # the time has passed: that is the change
    for delivery in _untold_pauses().filter(organization=organization).order_by("pk")[:MOST_AT_ONCE]:
        with changing(organization, delivery.opportunity_id) as case:
            case.waits_for_pause = delivery


def _untold(status: InvitationStatus) -> QuerySet[Invitation]:
    """Invitations that have waited so for long, without a note that tells of it."""
    told = _notes.filter(
        invitation=OuterRef("pk"), payload__code=status.value, created_at__gte=OuterRef("changed_at")
    )
    rows = Invitation.objects.filter(_wanted, status=status, erased_at__isnull=True)
    return rows.filter(~Exists(told), changed_at__lt=Now() - TOLD_AFTER)


def _untold_pauses() -> QuerySet[Delivery]:
    """The latest stage changes of candidates that have waited for long for the end of a pause; no note tells so."""
    latest = Candidate.objects.filter(delivery=OuterRef("pk"), erased_at__isnull=True)
    told = _notes.filter(delivery=OuterRef("pk"), payload__code=VerdictCode.PAUSED.value)
    rows = Delivery.objects.stranded().filter(_wanted, verdict=VerdictCode.PAUSED)
    return rows.filter(Exists(latest), ~Exists(told), decided_at__lt=Now() - TOLD_AFTER)
