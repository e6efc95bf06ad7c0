"""Send one invitation, exactly once.

The attempt is committed before the call. When the answer is lost, the invitation becomes uncertain, and a person checks
in CodeScreen.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from integrations.case.reconcile import changing
from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.models import mark_key_refused
from integrations.codescreen.payloads import instance_id_in
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.http.session import PlatformError
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.kind import EffectKind, Target, has_started, kept_whole
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import Payload
from integrations.outbox.outcome import DecideOnRecording, Done, Failed, LeaseLost, Outcome, Uncertain
from integrations.outbox.revalidation import revalidate
from integrations.outbox.sending import cancel_or_retry, fail, give_up, make_uncertain, mark_invited
from integrations.store import database
from integrations.store.database import rows_of, with_retry

INTERRUPTED = "The portal was stopped while sending, so CodeScreen's answer isn't known."


@dataclass(frozen=True)
class Sending:
    """One try to send: the rows, and when the first call was made that may have arrived; None when none may have."""

    effect: Effect
    invitation: Invitation
    earlier_call_at: datetime | None


def _send_invitation(effect: Effect, clients: ClientProvider) -> Outcome:
    """Send one invitation and return the outcome. Raises PlatformError when it should be retried."""
    invitation = next(iter(rows_of(Invitation, "id = %s", effect.invitation_id)), None)
    if invitation is None:
        raise TypeError("an invitation effect without an invitation")
    effect.invitation, invitation.organization = invitation, effect.organization
    if invitation.instance_id:
        return Done()
    if invitation.status == Status.SENDING:
        return make_uncertain(invitation, INTERRUPTED)
    if invitation.status != Status.PENDING:
        return DecideOnRecording(partial(cancel_or_retry, invitation))
    not_sent = revalidate(effect, invitation, clients, is_chosen=invitation.is_chosen)
    if not_sent is not None:
        return not_sent
    sending = Sending(effect, invitation, invitation.first_call_at)
    codescreen = clients.codescreen()
    if (not_started := with_retry(partial(_start_attempt, sending))) is not None:
        return not_started
    return _call(sending, codescreen)


def _start_attempt(sending: Sending) -> LeaseLost | DecideOnRecording | None:
    """Commit that the call is about to be made; return None then, else the outcome that takes its place.

    A worker that finds the started attempt later knows that the call may have been made, and since when.
    """
    first_call_at = sending.earlier_call_at or database.now()
    with changing(sending.effect.organization, sending.invitation.opportunity_id) as case:
        own = case.invitation(sending.invitation.pk)
        # sending: this very write succeeded, though the connection broke before the answer
        if own.status not in {Status.PENDING, Status.SENDING}:
            return DecideOnRecording(partial(cancel_or_retry, sending.invitation))
        if not sending.effect.mark_attempt_started():
            return LeaseLost()
        own.move(Status.SENDING, first_call_at=first_call_at)
    sending.invitation.status, sending.invitation.first_call_at = Status.SENDING, first_call_at
    return None


def _call(sending: Sending, codescreen: CodeScreenClient) -> Done | Uncertain | Failed | LeaseLost:
    invitation = sending.invitation
    try:
        instance = codescreen.send(invitation.assessment_id, invitation.candidate_name, invitation.email)
    except PlatformError as error:
        answer = with_retry(partial(_after_error, sending, error))
        if not isinstance(answer, str):
            return answer
        instance = answer
    return Done(record=partial(mark_invited, invitation, instance))


def _after_error(sending: Sending, error: PlatformError) -> Uncertain | Failed | LeaseLost | str:
    """Return how a refused call ends, or the instance id that shows that the person is invited.

    Raises the error when the call is to be retried.
    """
    effect, invitation = sending.effect, sending.invitation
    if error.status == 409 and instance_id_in(error.body):
        return _after_conflict(sending, instance_id_in(error.body))
    if error.ambiguous:
        return make_uncertain(invitation, f"{error}. The candidate may have been invited.")
    if error.permanent and error.status != 401:
        return _fail(sending, str(error), _refusal_note(error.status))
    if error.status == 401:
        mark_key_refused(effect.organization.codescreen, str(error))
    if not _revert_to_pending(sending):
        return LeaseLost()
    raise error


_MOVE_AGAIN = "Then move the candidate out of the stage and back in."
_REFUSALS = {
    400: f"Check the candidate's e-mail address. {_MOVE_AGAIN}",
    422: f"Check the candidate's e-mail address. {_MOVE_AGAIN}",
    403: f"Your CodeScreen account may not send this assessment. An Admin checks it in CodeScreen. {_MOVE_AGAIN}",
    404: f"The assessment is no longer in CodeScreen. An Admin chooses another one. {_MOVE_AGAIN}",
    409: "CodeScreen says that this person already has an invitation. Look for them there.",
}


def _refusal_note(status: int | None) -> str:
    """Return what a recruiter can do when CodeScreen answered a call that invites with this status."""
    advice = _REFUSALS.get(status or 0, f"An Admin reads the reason on the candidate's page. {_MOVE_AGAIN}")
    return f"CodeScreen refused the invitation. {advice}"


def _fail(sending: Sending, reason: str, note: str) -> Failed:
    sending.invitation.first_call_at = sending.earlier_call_at  # this call certainly did not arrive
    return fail(sending.invitation, reason, note)


def _after_conflict(sending: Sending, instance: str) -> Failed | str:
    """Return the instance that the conflict names; Failed when it belongs to another invitation."""
    other = Invitation.objects.filter(
        organization=sending.effect.organization_id, instance_id=instance
    ).first()
    if other is None:
        return instance
    reason = "CodeScreen says that this person already has the assessment, through another opportunity."
    note = "This person already has it, through another opportunity."
    return _fail(sending, reason, note)


def _revert_to_pending(sending: Sending) -> bool:
    """Revert an invitation whose call certainly did not arrive; False when another worker has taken the row over."""
    with changing(sending.effect.organization, sending.invitation.opportunity_id) as case:
        if not sending.effect.fenced().exists():
            return False
        case.invitation(sending.invitation.pk).move(Status.PENDING, first_call_at=sending.earlier_call_at)
    return True


def _goes_on_in_a_pause(effect: Effect) -> bool:
    """Whether a call may have been made already."""
    # reverted to pending: the call was refused, but the worker was killed before it cleared the attempt
    is_reverted = effect.invitation is not None and effect.invitation.status == Status.PENDING
    return has_started(effect) and not is_reverted


SEND_INVITATION = EffectKind(
    kind=Effect.Kind.SEND_INVITATION,
    target=Target.CODESCREEN,
    payload=Payload,
    perform=_send_invitation,
    goes_on_in_a_pause=_goes_on_in_a_pause,
    give_up=give_up,
    topic=lambda effect: effect.invitation.assessment_name if effect.invitation else "",
    intended=lambda name: f"CodeScreen sends “{name}” to the candidate.",
    kept_payload=kept_whole,
)
