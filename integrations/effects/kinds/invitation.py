"""Send one invitation, exactly once.

The attempt is committed before the call. When the answer is lost, the call is repeated only if CodeScreen honours an
idempotency key, and for a day; otherwise the invitation becomes uncertain, and a person checks in CodeScreen.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from django.db import transaction

from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.models import mark_key_refused
from integrations.codescreen.payloads import instance_id_in
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.effects.kind import EffectKind, Target, has_started, kept_whole
from integrations.effects.sending import (
    KEY_VALID_FOR,
    cancel_or_retry,
    fail,
    give_up,
    make_uncertain,
    mark_invited,
    revalidate,
)
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import IllegalTransition, Invitation
from integrations.outbox.enqueue import Payload
from integrations.outbox.models import Effect
from integrations.outbox.outcome import DecideOnRecording, Done, Failed, LeaseLost, Outcome, Uncertain
from integrations.store import database
from integrations.store.database import rows_of, with_retry

INTERRUPTED = "The portal was stopped while sending, so CodeScreen's answer isn't known."
UNANSWERED = "CodeScreen hasn't answered for a day. Sending again now could invite the candidate twice."


@dataclass(frozen=True)
class InvitationPayload(Payload):
    """Whether the last call to CodeScreen carried an idempotency key; None before the first call.

    `is_chosen` when a person had it sent, knowing that the candidate may be invited already; `is_released` when a
    person had it sent, so that no rule holds it any more.
    """

    idempotent: bool | None = None
    is_chosen: bool = False
    is_released: bool = False


def enqueue_invitation(
    invitation: Invitation,
    delivery: Delivery | None = None,
    *,
    is_chosen: bool = False,
    is_released: bool = False,
    is_new: bool = False,
) -> None:
    """Enqueue the sending of an invitation: one effect per invitation, due again when it is requested again.

    `is_chosen` when a person has it sent, knowing that the candidate may be invited already; `is_released` when a
    person has it sent, so that no rule holds it any more; `is_new` when it was made in this transaction.
    """
    own = invitation.organization_id, str(invitation.pk)
    payload = InvitationPayload(is_chosen=is_chosen, is_released=is_released)
    SEND_INVITATION.enqueue(*own, payload, invitation=invitation, delivery=delivery)
    if not is_new:
        SEND_INVITATION.make_due_again(*own, payload=payload.to_json(), attempt_started_at=None)


@dataclass(frozen=True)
class Sending:
    """One try to send: the rows, whether CodeScreen recognizes a repeated call, and what was called before.

    `earlier_call_at` is when the first call was made that may have arrived; None when none may have.
    """

    effect: Effect
    invitation: Invitation
    is_repeat: bool
    is_idempotent: bool
    external_id: str
    earlier_call_at: datetime | None

    @property
    def is_key_valid(self) -> bool:
        """Whether CodeScreen still knows the key of the earlier call."""
        return self.earlier_call_at is not None and database.now() - self.earlier_call_at < KEY_VALID_FOR


def _send_invitation(effect: Effect, clients: ClientProvider) -> Outcome:
    """Send one invitation and return the outcome. Raises PlatformError when it should be retried."""
    invitation = next(iter(rows_of(Invitation, "id = %s", effect.invitation_id)), None)
    if invitation is None:
        raise TypeError("an invitation effect without an invitation")
    effect.invitation, invitation.organization = invitation, effect.organization
    if invitation.instance_id:
        return Done()
    sending = _sending(effect, invitation)
    if sending.is_repeat and effect.attempt_started_at is not None:
        if not sending.is_idempotent:
            return make_uncertain(effect, invitation, INTERRUPTED)
        if not sending.is_key_valid:
            return make_uncertain(effect, invitation, UNANSWERED)
    if invitation.status not in {Status.PENDING, Status.SENDING}:
        return DecideOnRecording(partial(cancel_or_retry, invitation))
    if not sending.is_repeat:
        payload = SEND_INVITATION.payload_of(effect)
        is_chosen, is_released = payload.is_chosen, payload.is_released
        not_sent = revalidate(effect, invitation, clients, is_chosen=is_chosen, is_released=is_released)
        if not_sent is not None:
            return not_sent
        sending = _sending(effect, invitation)  # its external id may be another by now
    codescreen = clients.codescreen()
    if (not_started := with_retry(partial(_start_attempt, sending))) is not None:
        return not_started
    return _call(sending, codescreen)


def _sending(effect: Effect, invitation: Invitation) -> Sending:
    connection = effect.organization.codescreen
    is_repeat = invitation.status == Status.SENDING
    is_idempotent = bool(connection and connection.idempotency)
    if is_repeat and effect.attempt_started_at is not None:
        # a call that went without the key can't be repeated with it, even if the account honours keys by now
        is_idempotent = is_idempotent and SEND_INVITATION.payload_of(effect).idempotent is True
    external_id = invitation.external_id if connection and connection.sends_external_id else ""
    return Sending(effect, invitation, is_repeat, is_idempotent, external_id, invitation.first_call_at)


def _start_attempt(sending: Sending) -> LeaseLost | DecideOnRecording | None:
    """Commit that the call is about to be made; return None then, else the outcome that takes its place.

    A worker that finds the started attempt later knows that the call may have been made, and since when.
    """
    stored = SEND_INVITATION.payload_of(sending.effect)
    payload = replace(stored, idempotent=sending.is_idempotent)
    first_call_at = sending.earlier_call_at if sending.is_key_valid else database.now()
    try:
        with transaction.atomic():
            if not sending.effect.mark_attempt_started(payload.to_json()):
                return LeaseLost()
            sending.invitation.move(Status.SENDING, first_call_at=first_call_at)
    except IllegalTransition:
        return DecideOnRecording(partial(cancel_or_retry, sending.invitation))
    return None


def _call(sending: Sending, codescreen: CodeScreenClient) -> Done | Uncertain | Failed | LeaseLost:
    try:
        instance = _send(sending, codescreen)
    except PlatformError as error:
        answer = _after_repeat(sending, error) or with_retry(partial(_after_error, sending, error))
        if not isinstance(answer, str):
            return answer
        instance = answer
    return Done(record=partial(mark_invited, sending.invitation, instance))


def _send(sending: Sending, codescreen: CodeScreenClient) -> str:
    """Make the call and return CodeScreen's instance id. Raises PlatformError.

    An account that has webhooks but no idempotency keys may refuse the external id with 400 or 422. Nothing was sent
    then, and the call is made again without the id, as CodeScreen's published API describes it.
    """
    invitation = sending.invitation
    candidate = (invitation.assessment_id, invitation.candidate_name, invitation.email)
    try:
        return codescreen.send(*candidate, sending.external_id, sending.is_idempotent)
    except PlatformError as error:
        if sending.is_idempotent or not sending.external_id or error.status not in {400, 422}:
            raise
    return codescreen.send(*candidate)


def _after_repeat(sending: Sending, error: PlatformError) -> Uncertain | None:
    """Return how a refused repeat ends: the refusal doesn't show whether the earlier call arrived.

    None when the error is treated like that of a first call. Raises the error when the call is to be retried.
    """
    if not sending.is_repeat or error.ambiguous or (error.status == 409 and instance_id_in(error.body)):
        return None
    if error.status == 401:
        mark_key_refused(sending.effect.organization.codescreen, str(error))
    elif error.permanent:
        return make_uncertain(
            sending.effect, sending.invitation, f"{error}. An earlier call may have reached CodeScreen."
        )
    raise error


def _after_error(sending: Sending, error: PlatformError) -> Uncertain | Failed | LeaseLost | str:
    """Return how a refused call ends, or the instance id that shows that the person is invited.

    Raises the error when the call is to be retried.
    """
    effect, invitation = sending.effect, sending.invitation
    invitation.refresh_from_db()
    if invitation.instance_id:  # a webhook has confirmed it during the call
        return invitation.instance_id
    if error.status == 409 and instance_id_in(error.body):
        return _after_conflict(sending, instance_id_in(error.body))
    if error.ambiguous:
        if sending.is_idempotent:
            raise error  # the same key is sent again: CodeScreen repeats its first answer
        return make_uncertain(effect, invitation, f"{error}. The candidate may have been invited.")
    if error.permanent and error.status != 401:
        if sending.is_idempotent and sending.is_key_valid:
            # CodeScreen refuses a known key with another address: the earlier call has then arrived, with that of then
            return make_uncertain(
                effect, invitation, f"{error}. An earlier call may have reached CodeScreen."
            )
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
    return fail(sending.effect, sending.invitation, reason, note)


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
    with transaction.atomic():
        if not sending.effect.fenced().exists():
            return False
        sending.invitation.move(Status.PENDING, first_call_at=sending.earlier_call_at)
    return True


def _goes_on_in_a_pause(effect: Effect) -> bool:
    """Whether a call may have been made already."""
    # reverted to pending: the call was refused, but the worker was killed before it cleared the attempt
    is_reverted = effect.invitation is not None and effect.invitation.status == Status.PENDING
    return has_started(effect) and not is_reverted


SEND_INVITATION = EffectKind(
    kind=Effect.Kind.SEND_INVITATION,
    target=Target.CODESCREEN,
    payload=InvitationPayload,
    perform=_send_invitation,
    priority=2,
    goes_on_in_a_pause=_goes_on_in_a_pause,
    give_up=give_up,
    topic=lambda effect, _: effect.invitation.assessment_name if effect.invitation else "",
    intended=lambda name: f"CodeScreen sends “{name}” to the candidate.",
    kept_payload=kept_whole,
    copy_stays_in="codescreen",
)
