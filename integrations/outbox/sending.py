"""How the sending of an invitation ends, and what a refused one tells the recruiter."""

import logging
import random
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from integrations.case.reconcile import changing
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import RETRY_FOR_IN_WORDS
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.kind import (
    Cancelled,
    Done,
    Failed,
    Retry,
    StartedAttempt,
    Uncertain,
)
from integrations.outbox.models.effect import Effect
from integrations.store import database

SEND_AGAIN = "An Admin can send it again."

logger = logging.getLogger(__name__)


def mark_invited(invitation: Invitation, instance_id: str) -> None:
    """Record the instance that CodeScreen made for the person. Nothing is changed when one is recorded already.

    Of somebody whose data was erased meanwhile only the instance is recorded.
    """
    with changing(invitation.organization, invitation.opportunity_id) as case:
        own = case.invitation(invitation.pk)
        if not own.instance_id:
            mark_sent(own, instance_id)


def mark_sent(invitation: Invitation, instance_id: str, at: datetime | None = None) -> None:
    """Record the instance that CodeScreen made at that time, else now, within the change of the candidate."""
    now = database.now()
    invited_at = at or now
    if invitation.erased_at is not None:
        invitation.change(instance_id=instance_id, invited_at=invited_at)
        return
    first_poll = now + timedelta(seconds=settings.POLL_IN_PROGRESS_SECONDS) * random.uniform(0.2, 0.98)  # noqa: S311
    invitation.move(
        Status.INVITED,
        instance_id=instance_id,
        invited_at=invited_at,
        next_poll_at=first_poll,
        poll_failures=0,
    )
    transaction.on_commit(partial(logger.info, "invitation %s: sent", invitation.pk))


def move(invitation: Invitation, status: Status, reason: str, **changes: object) -> None:
    """Change the status of an invitation whose step has read it; see `Invitation.move`."""
    with changing(invitation.organization, invitation.opportunity_id) as case:
        case.invitation(invitation.pk).move(status, reason, **changes)


def cancel_or_retry(invitation: Invitation) -> Done | Cancelled | Retry:
    """Return how an effect ends whose invitation isn't waiting to be sent; called in the recording transaction.

    If it was requested again after the step read it, sending it is this effect's work: it is retried at once.
    """
    invitation.lock()
    if invitation.instance_id:
        return Done()
    if invitation.status == Status.PENDING:
        reason = "The invitation was requested again in the meantime."
        return Retry(reason, timedelta(0), StartedAttempt.NONE)
    return Cancelled(f"The invitation is {invitation.words.phrase}.")


def give_up(effect: Effect, reason: str) -> Uncertain | Failed:
    """Return how an effect ends that is no longer retried: uncertain if a call may have arrived, else failed."""
    invitation = effect.invitation
    if invitation is not None:
        invitation.refresh_from_db()
        if invitation.status == Status.SENDING:
            return make_uncertain(invitation, reason)
        if invitation.status == Status.PENDING:
            note = f"It was tried for {RETRY_FOR_IN_WORDS}. {SEND_AGAIN}"
            return fail(invitation, reason, note)
    return Failed(reason)


def make_uncertain(invitation: Invitation, reason: str) -> Uncertain:
    """Return that it isn't known whether the invitation was sent: a person has to check in CodeScreen."""
    return Uncertain(reason, also=partial(_record_uncertain, invitation, reason))


def _record_uncertain(invitation: Invitation, reason: str) -> None:
    # without a call of ours another one may have arrived, such as one whose record was lost by a restore
    move(invitation, Status.UNCERTAIN, reason, first_call_at=invitation.first_call_at or database.now())


def fail(invitation: Invitation, reason: str, advice: str) -> Failed:
    """Return that the invitation can't be sent; `advice` tells the recruiter in Lever what to do."""
    return Failed(reason, also=partial(_record_failed, invitation, reason, advice))


def _record_failed(invitation: Invitation, reason: str, advice: str) -> None:
    with changing(invitation.organization, invitation.opportunity_id) as case:
        case.advice[invitation.pk] = advice
        case.invitation(invitation.pk).move(Status.FAILED, reason, first_call_at=invitation.first_call_at)


_MOVE_AGAIN = "Then an Admin presses “Send again”, or you move the candidate out of the stage and back in."
_REFUSALS = {
    400: f"Check the candidate's e-mail address. {_MOVE_AGAIN}",
    422: f"Check the candidate's e-mail address. {_MOVE_AGAIN}",
    403: f"Your CodeScreen account may not send this assessment. An Admin checks it in CodeScreen. {_MOVE_AGAIN}",
    404: f"The assessment is no longer in CodeScreen. An Admin chooses another one. {_MOVE_AGAIN}",
    409: "CodeScreen says that this person already has an invitation. Look for them there.",
}


def refusal_note(status: int | None) -> str:
    """Return what a recruiter can do when CodeScreen answered a call that invites with this status."""
    advice = _REFUSALS.get(status or 0, f"An Admin reads the reason on the candidate's page. {_MOVE_AGAIN}")
    return f"CodeScreen refused the invitation. {advice}"
