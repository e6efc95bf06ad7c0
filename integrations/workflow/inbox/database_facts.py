"""Complete the facts from the portal's own rows: which invitations the person has, and how many went out lately."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Q, Value
from django.db.models.functions import Now, Upper

from integrations.lever.decoding import moment
from integrations.models import Delivery, Effect, Invitation, db_clock
from integrations.models.invitation import OPEN
from integrations.vocabulary import DeliveryEvent, ResultOutcome
from integrations.workflow.inbox.facts import FactsSnapshot
from integrations.workflow.rules.facts import ExistingInvitation, Facts


def _entered_at(delivery: Delivery) -> datetime | None:
    """Return when the stage was entered, None for a sweep's delivery, which only shows that the candidate is in it."""
    if delivery.event == DeliveryEvent.SWEEP:
        return None
    triggered_at = moment(delivery.payload.get("triggeredAt"))
    return min(triggered_at, delivery.received_at) if triggered_at else delivery.received_at


def _existing_invitation(invitation: Invitation, entered_at: datetime | None = None) -> ExistingInvitation:
    done_at = invitation.completed_at
    latest = invitation.latest_result() if done_at else None
    status = Invitation.Status(invitation.status)
    # withdrawn while uncertain: it may have been sent, so it is never sent again
    was_uncertain = (
        status == Invitation.Status.WITHDRAWN
        and not invitation.instance_id
        and invitation.effects.filter(
            kind=Effect.Kind.SEND_INVITATION, state=Effect.State.CANCELLED, attempt_started_at__isnull=False
        ).exists()
    )
    return ExistingInvitation(
        id=invitation.pk,
        assessment_id=invitation.assessment_id,
        status=status,
        status_phrase="perhaps sent, and not followed" if was_uncertain else _STATUS_PHRASES[status],
        since=f"{invitation.changed_at:%-d %B %Y, %H:%M} UTC",
        was_sent=bool(invitation.instance_id) or was_uncertain or status == Invitation.Status.UNCERTAIN,
        round=invitation.round,
        outcome=ResultOutcome(latest.outcome) if latest and latest.outcome else None,
        days_since_completion=(db_clock.now() - done_at).total_seconds() / 86400 if done_at else None,
        was_reentered=bool(done_at and entered_at and entered_at > done_at),
    )


_STATUS_PHRASES = {
    Invitation.Status.HELD: "waiting for approval",
    Invitation.Status.PENDING: "about to be sent",
    Invitation.Status.SENDING: "being sent",
    Invitation.Status.UNCERTAIN: "perhaps sent, waiting for a person to say",
    Invitation.Status.INVITED: "invited and not started",
    Invitation.Status.IN_PROGRESS: "in progress",
    Invitation.Status.SUBMITTED: "submitted",
    Invitation.Status.COMPLETED: "done",
    Invitation.Status.WITHDRAWN: "invited, and not followed since the stage was left,",
    Invitation.Status.FAILED: "failed",
}


def with_database_facts(snapshot: FactsSnapshot, delivery: Delivery) -> Facts:
    """Return the facts completed with the person's invitations; called inside the deciding transaction."""
    facts, opportunity = snapshot.facts, snapshot.opportunity
    if opportunity is None:
        return facts
    invitations = Invitation.objects.filter(organization=delivery.organization_id).alias(
        address=Upper("email")
    )
    here = invitations.filter(opportunity_id=opportunity.id).order_by("-round", "-pk")
    person = Q(pk__in=[])
    if opportunity.contact_id:
        person |= Q(contact_id=opportunity.contact_id)
    for email in opportunity.emails:
        person |= Q(address=Upper(Value(email)))  # not iexact, which no index answers on SQLite
    elsewhere = invitations.filter(person, status__in=OPEN).exclude(opportunity_id=opportunity.id)
    recently = (
        count_recent_invitations(delivery.organization_id, facts.bulk_window) if facts.bulk_limit else 0
    )
    entered_at = _entered_at(delivery)
    return replace(
        facts,
        invitations_here=tuple(_existing_invitation(row, entered_at) for row in here),
        invitations_elsewhere=tuple(_existing_invitation(row) for row in elsewhere),
        recently_invited=recently,
    )


def count_recent_invitations(organization_id: int, minutes: int) -> int:
    """Return how many invitations of an organization were decided in the last `minutes`."""
    rows = Invitation.objects.filter(
        organization=organization_id, created_at__gte=Now() - timedelta(minutes=minutes)
    )
    return rows.exclude(status=Invitation.Status.HELD).count()
