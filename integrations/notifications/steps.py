"""Tell programs each step of a candidate by a signed webhook: by ids alone, which are those of the API."""

from django.utils.crypto import get_random_string

from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.verdict_code import Consequence, VerdictCode
from integrations.http.json_values import JsonObject
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.notifications.links import timeline_link
from integrations.notifications.models.email_kind import AlertTopic, CandidateStep
from integrations.notifications.notify import enqueue_alerts
from integrations.notifications.payload import AlertPayload
from integrations.organizations.models.organization import Organization


def tell_step(invitation: Invitation, step: CandidateStep, result: Result | None = None) -> None:
    """Enqueue the step of an invitation's candidate, in the transaction that takes it; nothing where none is wanted."""
    if invitation.organization.tells_steps:
        ids: JsonObject = {"invitation_id": invitation.pk, "result_id": result.pk if result else None}
        _enqueue(invitation.organization, step, invitation.opportunity_id, ids, invitation)


def move_and_tell(invitation: Invitation, status: Status, reason: str = "", **changes: object) -> None:
    """Move an invitation, as its `move` does, and tell that it is on hold or ends unsent, in the caller's transaction.

    Of one that was possibly sent, or couldn't be, nothing is told when it is cancelled. Raises IllegalTransition.
    """
    if invitation.organization.tells_steps:
        invitation.lock()  # it may have been sent since it was read
    before = invitation.status
    is_told = before in {Status.UNCERTAIN, Status.FAILED}
    is_unsent = not invitation.instance_id and invitation.first_call_at is None and not is_told
    invitation.move(status, reason, **changes)
    if status == before:
        return
    if status == Status.HELD:
        tell_step(invitation, CandidateStep.HELD)
    elif status == Status.FAILED or (status == Status.WITHDRAWN and is_unsent):
        tell_step(invitation, CandidateStep.NOT_INVITED)


def tell_verdict(
    organization: Organization,
    delivery_id: int,
    opportunity_id: str,
    verdict: VerdictCode,
    invitation: Invitation | None,
) -> None:
    """Enqueue the step that a verdict is, in its transaction: not invited or on hold; nothing for any other verdict."""
    if not organization.tells_steps or not verdict.record.is_about_candidate:
        return
    ids: JsonObject = {"delivery_id": delivery_id, "verdict": str(verdict)}
    if verdict == VerdictCode.HELD_FOR_APPROVAL and invitation is not None:
        ids["invitation_id"] = invitation.pk
        _enqueue(organization, CandidateStep.HELD, opportunity_id, ids, invitation)
    elif verdict.record.consequence is Consequence.NOT_INVITED:
        _enqueue(organization, CandidateStep.NOT_INVITED, opportunity_id, ids, None)


def tell_erasure(organization: Organization, opportunity_id: str) -> None:
    """Enqueue that the person was erased, in its transaction.

    The effect names the opportunity in what is sent alone: an erasure that is repeated stops the effects of it.
    """
    if organization.tells_steps:
        _enqueue(organization, CandidateStep.ERASED, opportunity_id, {}, None, is_about_it=False)


def _enqueue(
    organization: Organization,
    step: CandidateStep,
    opportunity_id: str,
    ids: JsonObject,
    invitation: Invitation | None,
    *,
    is_about_it: bool = True,
) -> None:
    candidates = Candidate.objects.filter(organization=organization, opportunity_id=opportunity_id)
    payload = AlertPayload(
        type=AlertTopic.STEP.value,
        subject=step.record.sentence.format(assessment=invitation.assessment_name if invitation else ""),
        link=timeline_link(opportunity_id),
        ids={
            "step": str(step),
            "opportunity_id": opportunity_id,
            "candidate_id": candidates.values_list("pk", flat=True).first(),
            **ids,
        },
    )
    once = get_random_string(16)  # each transaction that takes a step takes it once
    enqueue_alerts(
        organization,
        f"{AlertTopic.STEP}:{once}",
        payload,
        invitation=invitation,
        opportunity_id=opportunity_id if is_about_it else "",
    )
