"""Send one invitation, exactly once: intent before the act, and no blind repeat after an answer that never came."""

from datetime import timedelta
from functools import partial

from django.db import transaction

from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import CodeScreenClient, instance_id
from integrations.http.errors import PlatformError
from integrations.models import Delivery, Effect, IllegalTransition, Invitation, db_clock
from integrations.models.db_retry import with_retry
from integrations.models.invitation import Status
from integrations.workflow.catalog import sync
from integrations.workflow.catalog.sync import stage_name
from integrations.workflow.email.links import candidate_link
from integrations.workflow.email.notify import notify_members
from integrations.workflow.inbox.facts import mapping_rules
from integrations.workflow.outbox import enqueue
from integrations.workflow.results.recording import mark_invited
from integrations.workflow.rules.decide import SWEEP, is_trigger

READ_AGAIN_AFTER = timedelta(minutes=2)


class Settled(Exception):
    """The effect has recorded its own outcome; there is nothing left to do."""


def send_invitation(effect: Effect, clients: ClientProvider) -> None:
    """Invite one candidate. Raises Settled when that is over, PlatformError when it should be tried again."""
    invitation = effect.invitation
    if invitation is None:
        raise TypeError("an invitation effect without an invitation")
    connection = effect.organization.codescreen
    is_idempotent = bool(connection and connection.idempotency)
    if invitation.status == Status.SENDING and effect.attempt_started_at is not None:
        # a call that went without the key can't be repeated with it, though the account honours keys by now
        is_idempotent = is_idempotent and effect.payload.get("idempotent") is True
    if invitation.instance_id:
        return
    if invitation.status == Status.SENDING and effect.attempt_started_at is not None and not is_idempotent:
        _become_uncertain(
            effect, invitation, "A worker was stopped while it was sending, and nobody knows the answer."
        )
    if invitation.status not in {Status.PENDING, Status.SENDING}:
        _cancel(effect, invitation)
    is_repeat = invitation.status == Status.SENDING
    if not is_repeat:
        _revalidate(effect, invitation, clients)
        if not invitation.email:
            reason = "The candidate's address was removed here: the organization's retention is over."
            _fail(effect, invitation, reason, "Move the candidate into the stage again.")
    codescreen = clients.codescreen()
    effect.payload["idempotent"] = is_idempotent
    with_retry(partial(_record_attempt, effect, invitation))
    external_id = invitation.external_id if connection and connection.sends_external_id else ""
    try:
        instance = _send(codescreen, invitation, external_id, is_idempotent)
    except PlatformError as error:
        if is_repeat and not error.ambiguous:
            _handle_repeated_refusal(effect, invitation, error)
        instance = with_retry(partial(_handle_error, effect, invitation, error, is_idempotent))
    with_retry(partial(_record_invited, effect, invitation, instance))
    raise Settled


def _record_invited(effect: Effect, invitation: Invitation, instance: str) -> None:
    with transaction.atomic():
        invitation.refresh_from_db()
        if not invitation.instance_id:  # else a webhook was faster than the answer
            mark_invited(invitation, instance)
        effect.finish()


def _send(codescreen: CodeScreenClient, invitation: Invitation, external_id: str, is_idempotent: bool) -> str:
    """Make the call; CodeScreen's instance id. Raises PlatformError.

    Our own id is only a hope where the account has webhooks and nothing more: a strict CodeScreen may refuse
    the field. Such a no is definite, nothing was sent, and the published call alone must do.
    """
    candidate = (invitation.assessment_id, invitation.candidate_name, invitation.email)
    try:
        return codescreen.send(*candidate, external_id, is_idempotent)
    except PlatformError as error:
        if is_idempotent or not external_id or error.status not in {400, 422}:
            raise
    return codescreen.send(*candidate)


def _cancel(effect: Effect, invitation: Invitation) -> None:
    """End an effect whose invitation isn't to go out; if it is to again since we looked, that is this effect's work."""
    with transaction.atomic():
        invitation.refresh_from_db(from_queryset=Invitation.objects.locked())
        if invitation.instance_id:
            effect.finish()
        elif invitation.status == Status.PENDING:
            effect.retry(timedelta(0), "The invitation was asked for again meanwhile.")
        else:
            status = invitation.get_status_display().lower()
            effect.finish(Effect.State.CANCELLED, f"The invitation is {status}.")
    raise Settled


def _record_attempt(effect: Effect, invitation: Invitation) -> None:
    """Commit that the call is about to be made, so that a later worker knows it may have been."""
    try:
        with transaction.atomic():
            if not effect.mark_attempt_started():
                raise Settled
            invitation.move(Status.SENDING)
    except IllegalTransition:
        _cancel(effect, invitation)


def _handle_error(effect: Effect, invitation: Invitation, error: PlatformError, is_idempotent: bool) -> str:
    """Return the instance id an error answer names, or record what the error means and raise."""
    invitation.refresh_from_db()
    if invitation.instance_id:  # a webhook has told meanwhile
        return str(invitation.instance_id)
    if error.status == 409 and instance_id(error.body):
        return _resolve_conflict(effect, invitation, instance_id(error.body))
    if error.ambiguous:
        if is_idempotent:
            raise error  # the same key is sent again: CodeScreen answers what it answered before
        _become_uncertain(effect, invitation, f"{error}. The candidate may have been invited.")
    if error.status == 401:
        _handle_refused_key(effect, invitation, error)
    if error.permanent:
        advice = "Check the candidate's e-mail address, then move the candidate into the stage again."
        _fail(effect, invitation, str(error), f"CodeScreen refused the invitation. {advice}")
    _revert_to_pending(effect, invitation)
    raise error


def _handle_repeated_refusal(effect: Effect, invitation: Invitation, error: PlatformError) -> None:
    """Take a definite no to a repeated call: it says nothing about the call whose answer was lost."""
    if error.status == 409 and instance_id(error.body):
        return
    if error.status == 401:
        sync.mark_key_refused(effect.organization, str(error))
    elif error.permanent:
        _become_uncertain(effect, invitation, f"{error}. An earlier try may have arrived.")
    raise error


def _revert_to_pending(effect: Effect, invitation: Invitation) -> None:
    """Put back what certainly did not arrive; not when another worker has taken over and decided about it."""
    with transaction.atomic():
        if not effect.fenced().exists():
            raise Settled
        invitation.move(Status.PENDING)


def _resolve_conflict(effect: Effect, invitation: Invitation, instance: str) -> str:
    """Return the instance that CodeScreen says the person has already, unless it is another invitation's."""
    other = Invitation.objects.filter(organization=effect.organization_id, instance_id=instance).first()
    if other is not None:
        reason = (
            f"CodeScreen says that the person has this assessment already, through invitation {other.pk}."
        )
        _fail(effect, invitation, reason, "The person has it already, through another opportunity.")
    return instance


def give_up(effect: Effect, reason: str) -> None:
    """End an effect that is not tried any more; the invitation is uncertain if a call may have arrived, else failed."""
    invitation = effect.invitation
    if invitation is not None:
        invitation.refresh_from_db()
        if invitation.status == Status.SENDING:
            _become_uncertain(effect, invitation, reason)
        if invitation.status == Status.PENDING:
            _fail(
                effect, invitation, reason, "The portal gave up after many tries; its Admins can try again."
            )
    effect.finish(Effect.State.FAILED, reason)


def _become_uncertain(effect: Effect, invitation: Invitation, reason: str) -> None:
    with transaction.atomic():
        if not effect.finish(Effect.State.UNCERTAIN, reason):
            raise Settled
        invitation.move(Status.UNCERTAIN, reason)
        notify_members(
            invitation.organization,
            f"uncertain:{invitation.pk}:{effect.attempts}",
            "An invitation may or may not have been sent",
            [
                f"“{invitation.assessment_name}”: {reason}",
                "Look for the candidate in CodeScreen, then say on the timeline whether it was sent.",
                candidate_link(invitation),
            ],
            invitation=invitation,
        )
    raise Settled


def _fail(effect: Effect, invitation: Invitation, reason: str, note: str) -> None:
    with transaction.atomic():
        if not effect.finish(Effect.State.FAILED, reason):
            raise Settled
        invitation.move(Status.FAILED, reason)
        organization = invitation.organization
        if organization.note_on_skip:
            enqueue.enqueue_note(
                organization,
                invitation.opportunity_id,
                f"failed:{invitation.pk}",
                f"CodeScreen: “{invitation.assessment_name}” could not be sent. {note}",
                invitation=invitation,
            )
        notify_members(
            organization,
            f"failed:{invitation.pk}:{effect.attempts}",
            "An invitation could not be sent",
            [f"“{invitation.assessment_name}”: {reason}", f"Timeline: {candidate_link(invitation)}"],
            invitation=invitation,
        )
    raise Settled


def _handle_refused_key(effect: Effect, invitation: Invitation, error: PlatformError) -> None:
    """CodeScreen no longer takes the key: the invitation waits, and the Admins are told once."""
    sync.mark_key_refused(effect.organization, str(error))
    _revert_to_pending(effect, invitation)
    raise error


def _revalidate(effect: Effect, invitation: Invitation, clients: ClientProvider) -> None:
    """Read the candidate again when the decision is old: they may have left the stage or been archived since."""
    asked_at = db_clock.now()
    if asked_at - invitation.checked_at < READ_AGAIN_AFTER and not _has_newer_delivery(invitation):
        return
    organization = invitation.organization
    try:
        opportunity = clients.lever().opportunity(invitation.opportunity_id)
    except PlatformError as error:
        if error.status not in {403, 404}:
            raise
        reason = "Lever no longer shows the candidate."
    else:
        name = stage_name(organization, opportunity.stage_id, clients)
        rules = mapping_rules(organization)
        reason = ""
        if opportunity.is_archived:
            reason = "The candidate was archived before the invitation went out."
        elif opportunity.is_anonymized or not opportunity.may_contact:
            reason = "The candidate may no longer be contacted."
        elif not is_trigger(opportunity.stage_id, name, organization.stage_prefix, rules):
            reason = "The candidate left the stage before the invitation went out."
    if not reason:
        Invitation.objects.filter(pk=invitation.pk).update(checked_at=asked_at)
        return
    with transaction.atomic():
        if effect.finish(Effect.State.CANCELLED, reason):
            invitation.move(Status.WITHDRAWN, reason)
    raise Settled


def _has_newer_delivery(invitation: Invitation) -> bool:
    """Whether Lever told something of the candidate after they were read; it may be decided already."""
    told = Delivery.objects.filter(
        organization=invitation.organization_id,
        platform=Delivery.Platform.LEVER,
        opportunity_id=invitation.opportunity_id,
        received_at__gt=invitation.checked_at,
    )
    return told.exclude(event=SWEEP).exists()
