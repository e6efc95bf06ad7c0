"""Write what follows from a decision, inside its transaction: the invitation, its effects, a note."""

from datetime import datetime
from typing import Any

from django.db.models.functions import Now

from integrations.invitation_status import UNSENT
from integrations.invitation_status import InvitationStatus as Status
from integrations.lever.payloads import Opportunity, StageChange
from integrations.models import Delivery, Effect, IllegalTransition, Invitation, Organization, db_clock
from integrations.models.invitation import FOLLOWING_GOES_ON
from integrations.verdict_code import INVITING_VERDICTS, VerdictCode
from integrations.workflow.effects.kinds.invitation import enqueue_invitation
from integrations.workflow.effects.kinds.note import enqueue_note
from integrations.workflow.inbox.facts import FactsSnapshot, is_chosen
from integrations.workflow.rules.facts import CandidateSnapshot, Decision, Facts

#: Which invitations are cancelled when the candidate leaves the stage; unsent ones always are.
ENDED_BY_LEAVING: dict[str, tuple[str, ...]] = {
    Organization.Leaving.STOP: (*UNSENT, Status.INVITED),
    Organization.Leaving.KEEP: UNSENT,
}


def apply_decision(
    delivery: Delivery, organization: Organization, decision: Decision, facts: Facts, gathered: FactsSnapshot
) -> Invitation | None:
    """Write the rows that follow from a decision; return the invitation it is about."""
    opportunity = gathered.opportunity
    if decision.verdict in INVITING_VERDICTS and opportunity is not None:
        return _invite(delivery, organization, decision, facts, opportunity, gathered.read_at)
    if decision.verdict == VerdictCode.NOT_A_TRIGGER_STAGE and opportunity is not None:
        statuses = ENDED_BY_LEAVING[organization.leaving]
        return _cancel(organization, opportunity, facts, "The candidate left the stage.", statuses)
    if decision.verdict == VerdictCode.ARCHIVED and opportunity is not None:
        return _cancel(organization, opportunity, facts, "The candidate is archived in Lever.")
    if decision.verdict == VerdictCode.ALREADY_INVITED:
        return _follow_again(decision, facts)
    if decision.verdict.record.leaves_note and organization.note_on_skip:
        change = StageChange.from_payload(delivery.payload)
        text = f"CodeScreen: no assessment was sent. {decision.explanation} {decision.next_step}"
        enqueue_note(organization, change.opportunity_id, decision.verdict, text, delivery=delivery)
    if decision.existing_invitation_id:
        return Invitation.objects.filter(pk=decision.existing_invitation_id).first()
    return None


def _invite(
    delivery: Delivery,
    organization: Organization,
    decision: Decision,
    facts: Facts,
    opportunity: Opportunity,
    read_at: datetime | None,
) -> Invitation:
    candidate = facts.candidate
    if decision.assessment is None or not isinstance(candidate, CandidateSnapshot):
        raise TypeError("an invitation needs an assessment and a candidate")
    status = Status.HELD if decision.verdict == VerdictCode.HELD_FOR_APPROVAL else Status.PENDING
    values = {
        "contact_id": opportunity.contact_id[:200],
        "candidate_name": opportunity.name[:500],
        "email": decision.email,
        "role_id": candidate.role_id[:200],
        "role_title": candidate.role_title[:300],
        "stage_id": facts.stage_id[:200],
        "stage_name": facts.stage_name[:300],
        "assessment_name": decision.assessment.name[:300],
        "status": status,
        "status_reason": decision.explanation if status == Status.HELD else "",
        "stopped_by_user": False,
        "in_any_stage": False,
        "checked_at": read_at or db_clock.now(),
        "changed_at": db_clock.now(),
        "erased_at": None,
    }
    # a row that never reached CodeScreen is reused; a new one would be a new round
    is_round = (decision.assessment.id, decision.round)
    earlier = next(
        (row for row in facts.invitations_here if (row.assessment_id, row.round) == is_round), None
    )
    if earlier is not None:
        return _invite_by_earlier_row(delivery, earlier.id, values)
    invitation = Invitation(
        organization=organization,
        opportunity_id=opportunity.id,
        assessment_id=decision.assessment.id,
        round=decision.round,
        **values,
    )
    invitation.save(force_insert=True)
    if status != Status.HELD:
        enqueue_invitation(invitation, delivery, is_chosen=is_chosen(delivery), is_new=True)
    return invitation


def _invite_by_earlier_row(delivery: Delivery, pk: int, values: dict[str, Any]) -> Invitation:
    invitation = Invitation.objects.get(pk=pk)
    if invitation.first_call_at is None:
        values["external_id"] = invitation.new_external_id()
    # created_at too: the bulk limit counts recent invitations by it
    Invitation.objects.filter(pk=pk, status__in=[Status.FAILED, Status.WITHDRAWN]).update(
        **values, **FOLLOWING_GOES_ON, created_at=Now()
    )
    invitation.refresh_from_db()
    if values["status"] != Status.HELD:
        enqueue_invitation(invitation, delivery, is_chosen=is_chosen(delivery))
    return invitation


def _cancel(
    organization: Organization,
    opportunity: Opportunity,
    facts: Facts,
    reason: str,
    statuses: tuple[str, ...] = (*UNSENT, Status.INVITED),
) -> Invitation | None:
    """Cancel invitations that weren't started, if the candidate is in no trigger stage any more; return the last."""
    candidate = facts.candidate
    if not isinstance(candidate, CandidateSnapshot):
        return None
    has_left = opportunity.is_archived or not facts.trigger_policy.is_trigger(
        candidate.stage_id, candidate.stage_name
    )
    if not has_left:
        return None
    cancelled = None
    invitations = Invitation.objects.filter(
        organization=organization,
        opportunity_id=opportunity.id,
        status__in=statuses,
    )
    if not opportunity.is_archived:  # a person invited these again wherever the candidate is
        invitations = invitations.exclude(in_any_stage=True, status__in=UNSENT)
    for invitation in invitations:
        try:
            invitation.move(Status.WITHDRAWN, reason)
        except IllegalTransition:  # a worker is sending it now; its result is followed
            continue
        Effect.objects.filter(
            invitation=invitation,
            kind=Effect.Kind.SEND_INVITATION,
            state=Effect.State.DUE,
            leased_until__isnull=True,
        ).update(state=Effect.State.CANCELLED, due_at=None, last_error=reason)
        cancelled = invitation
    return cancelled


def _follow_again(decision: Decision, facts: Facts) -> Invitation | None:
    """Follow a sent invitation again that was cancelled because the stage was left, and not by a person."""
    by_person = {existing.id for existing in facts.invitations_here if existing.is_cancelled_by_person}
    # locked: a result that is recorded at the same time is read with it, or finds the candidate's row pointing to it
    invitation = Invitation.objects.locked().filter(pk=decision.existing_invitation_id or 0).first()
    if invitation and invitation.pk in by_person:
        return invitation
    if invitation and invitation.status == Status.WITHDRAWN and invitation.instance_id:
        invitation.move(Status.INVITED, next_poll_at=db_clock.now())
    elif invitation and invitation.has_ended_without_result:
        invitation.follow_again()
    return invitation
