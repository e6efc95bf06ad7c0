"""Invite candidates who got no assessment: a person chooses one, or everybody who is offered."""

from django.db import transaction
from django.db.models.functions import Now

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.catalog.models import Assessment
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.verdict_code import IMPERSONAL_VERDICTS, WAITING_VERDICTS
from integrations.core.vocabulary import ActionNotAllowed
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import invite_again, send_again
from integrations.invitations.models.candidate import Candidate
from integrations.organizations.models.organization import Organization

BEING_DECIDED = "The portal is deciding about this candidate now."
BY_THE_RULES = "the one that the rules name"


def invite_candidate(candidate: Candidate, actor: Actor, assessment_id: str = "", reason: str = "") -> None:
    """Have a candidate who got no assessment invited, if nothing prevents it when they are read again.

    Who has no invitation, or none to the assessment that is chosen, is decided like any other, with that one or else
    the one that the rules name. An invitation that failed, or was cancelled before it was sent, is sent again. Raises
    ActionNotAllowed.
    """
    with transaction.atomic():
        Organization.objects.lock(candidate.organization_id)
        current = Candidate.objects.with_standing().select_related("organization").get(pk=candidate.pk)
        if why := why_not_invitable(current):
            raise ActionNotAllowed(why)
        if current.invitation is None or assessment_id not in {"", current.invitation.assessment_id}:
            _choose(current, actor, assessment_id, reason)
        elif current.invitation.status == Status.FAILED:
            send_again(current.invitation, actor, reason)
        else:
            invite_again(current.invitation, actor, reason)


def why_not_invitable(candidate: Candidate) -> str:
    """Return why nobody may choose to invite this candidate, by where they stand; empty where somebody may."""
    if candidate.erased_at is not None:
        return "The person's data was erased."
    invitation, delivery = candidate.invitation, candidate.delivery
    if invitation is not None:
        is_unsent = not invitation.instance_id and not invitation.first_call_at
        if invitation.status == Status.HELD:
            return f"“{invitation.assessment_name}” is on hold: use “Send those on hold”."
        if invitation.status == Status.FAILED or (invitation.status == Status.WITHDRAWN and is_unsent):
            return ""
        return f"The candidate already has “{invitation.assessment_name}”: {invitation.words.phrase}."
    if delivery is None or not delivery.verdict or delivery.due_at is not None:
        return BEING_DECIDED
    if delivery.verdict in IMPERSONAL_VERDICTS:
        return "The person's data was removed."
    if delivery.verdict in WAITING_VERDICTS:
        return "This candidate waits, and is decided automatically."
    return ""


def _choose(candidate: Candidate, actor: Actor, assessment_id: str, reason: str) -> None:
    delivery, name = candidate.delivery, BY_THE_RULES
    if assessment_id:
        listed = Assessment.objects.live().filter(
            organization=candidate.organization_id, external_id=assessment_id
        )
        found = listed.values_list("name", flat=True).first()
        if found is None:
            raise ActionNotAllowed("CodeScreen no longer has this assessment. Choose another one.")
        name = found
    chosen = {"chosen_at": Now(), "chosen_assessment": assessment_id}
    if delivery is None or not Delivery.objects.filter(pk=delivery.pk).decide_again(**chosen):
        raise ActionNotAllowed(BEING_DECIDED)
    changes = {"assessment": ("", name)}
    audit(delivery, actor, AuditAction.INVITE_CANDIDATE, changes, reason)


def invite_offered(organization: Organization, actor: Actor, last_id: int, reason: str = "") -> int:
    """Have the offered candidates decided like any other, up to the delivery `last_id`; return how many there are.

    The bulk limit holds. Raises ActionNotAllowed when nobody is offered any more.
    """
    with transaction.atomic():
        offered = Delivery.objects.offered().filter(organization=organization, pk__lte=last_id)
        count = offered.decide_again(chosen_at=Now())
        if not count:
            raise ActionNotAllowed(
                "There is nobody left to choose: somebody else decided, or they left the stage."
            )
        changes = {"candidates": (0, count)}
        audit(organization, actor, AuditAction.INVITE_OFFERED, changes, reason)
    return count
