"""How the sending of an invitation ends."""

import logging
import random
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.names import choose_progress_tag
from integrations.core.vocabulary import RETRY_FOR_IN_WORDS
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notify import notify_members
from integrations.notifications.payload import InvitationUnchanged
from integrations.outbox.kinds.messages import enqueue_note
from integrations.outbox.kinds.tags import enqueue_progress_tag
from integrations.outbox.models.effect import Effect
from integrations.outbox.outcome import (
    Cancelled,
    Done,
    Failed,
    Retry,
    StartedAttempt,
    Uncertain,
)
from integrations.store import database

#: In an outage hundreds may fail in minutes; the list of candidates who need attention has them all.
SAME_PROBLEM_EVERY = timedelta(minutes=30)
MORE_MAY_FOLLOW = (
    "No e-mail tells of others in the same half hour. All are under Candidates › Needs attention."
)
SEND_AGAIN = "An Admin can send it again."


logger = logging.getLogger(__name__)


def mark_invited(invitation: Invitation, instance_id: str) -> None:
    """Record the instance that CodeScreen made for the person, and enqueue the progress tag.

    Nothing is changed when an instance is recorded already.
    Of somebody whose data was erased meanwhile only the instance is recorded.
    """
    with transaction.atomic(savepoint=False):
        invitation.lock()
        if invitation.instance_id:
            return
        if invitation.erased_at is not None:
            Invitation.objects.filter(pk=invitation.pk).update(instance_id=instance_id, invited_at=Now())
            return
        now, was_uncertain = database.now(), invitation.status == Status.UNCERTAIN
        first_poll = now + timedelta(seconds=settings.POLL_NOT_STARTED_SECONDS) * random.uniform(0.2, 1.0)  # noqa: S311
        invitation.move(
            Status.INVITED,
            instance_id=instance_id,
            invited_at=now,
            next_poll_at=first_poll,
            poll_failures=0,
        )
        if was_uncertain:
            sending = Effect.objects.filter(invitation=invitation, kind=Effect.Kind.SEND_INVITATION)
            uncertain = sending.filter(state=Effect.State.UNCERTAIN)
            uncertain.update(state=Effect.State.DONE, done_at=Now(), last_error="")
        enqueue_progress_tag(invitation, choose_progress_tag(invitation.status))
        transaction.on_commit(partial(logger.info, "invitation %s: sent", invitation.pk))


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
            return make_uncertain(effect, invitation, reason)
        if invitation.status == Status.PENDING:
            note = f"It was tried for {RETRY_FOR_IN_WORDS}. {SEND_AGAIN}"
            return fail(effect, invitation, reason, note)
    return Failed(reason)


def make_uncertain(effect: Effect, invitation: Invitation, reason: str) -> Uncertain:
    """Return that it isn't known whether the invitation was sent; members are notified to check in CodeScreen."""
    return Uncertain(reason, also=partial(_record_uncertain, effect, invitation, reason))


def _record_uncertain(effect: Effect, invitation: Invitation, reason: str) -> None:
    invitation.move(Status.UNCERTAIN, reason)
    notify_members(
        invitation.organization,
        EmailTopic.INVITATION_UNCERTAIN,
        f"{invitation.pk}:{effect.lease_owner}",
        subject="the invitation was possibly sent",
        lines=[
            f"“{invitation.assessment_name}”: {reason}",
            "Check in CodeScreen whether it was sent. Then say so on the candidate's page.",
            MORE_MAY_FOLLOW,
        ],
        invitation=invitation,
        holds_while=InvitationUnchanged.of(invitation),
        at_most_every=SAME_PROBLEM_EVERY,
    )


def fail(effect: Effect, invitation: Invitation, reason: str, note: str) -> Failed:
    """Return that the invitation can't be sent; `note` tells the recruiter in Lever what to do."""
    return Failed(reason, also=partial(_record_failed, effect, invitation, reason, note))


def _record_failed(effect: Effect, invitation: Invitation, reason: str, note: str) -> None:
    invitation.move(Status.FAILED, reason, first_call_at=invitation.first_call_at)
    organization = invitation.organization
    if organization.note_on_skip:
        enqueue_note(
            organization,
            invitation.opportunity_id,
            f"failed:{invitation.pk}:{effect.lease_owner}",
            f"CodeScreen: “{invitation.assessment_name}” could not be sent. {note}",
            invitation=invitation,
        )
    notify_members(
        organization,
        EmailTopic.INVITATION_FAILED,
        f"{invitation.pk}:{effect.lease_owner}",
        subject="the invitation could not be sent",
        lines=[f"“{invitation.assessment_name}”: {reason}", MORE_MAY_FOLLOW],
        invitation=invitation,
        holds_while=InvitationUnchanged.of(invitation),
        at_most_every=SAME_PROBLEM_EVERY,
    )
