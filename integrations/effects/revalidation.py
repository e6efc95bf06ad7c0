"""Before an invitation is sent: whether it is still wanted, and the name and address of now."""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from integrations.catalog.lists import stage_name
from integrations.catalog.stages import trigger_policy
from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.facts import first_usable_email
from integrations.core.rules.names import KnownAssessment, has_progress_tag
from integrations.effects.invitation_endings import cancel_or_retry, fail, make_uncertain
from integrations.http.errors import PlatformError
from integrations.invitations.candidates import leads_to, store_people_shown
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.person import Person, blocking_elsewhere, invitations_of
from integrations.lever.payloads import Opportunity
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.outbox.outcome import (
    Cancelled,
    DecideOnRecording,
    Failed,
    LeaseLost,
    Retry,
    Uncertain,
    wait_until_shown,
)
from integrations.privacy.models import Erasure
from integrations.store import database
from integrations.store.database import with_retry
from integrations.store.questions import has_webhook_since

READ_AGAIN_AFTER = timedelta(minutes=2)
#: CodeScreen repeats its first answer to a key for at least 24 hours; a little less, for slow calls and clocks.
KEY_VALID_FOR = timedelta(hours=24) - timedelta(minutes=5)
NOT_SHOWN = "Lever no longer shows the candidate."
NO_ADDRESS = "The candidate no longer has an e-mail address in Lever."
TAGGED = "The candidate has a progress tag in Lever that no invitation here explains, so they may be invited already."
ANOTHER_ADDRESS = (
    "The address was corrected. An earlier attempt may have been received, with the address before."
)
ADD_ADDRESS = "Add the candidate's e-mail address, then move the candidate into the stage again."

#: How the try ends instead.
type NotSent = Cancelled | Failed | Retry | Uncertain | LeaseLost | DecideOnRecording


def revalidate(
    effect: Effect, invitation: Invitation, clients: ClientProvider, *, is_chosen: bool
) -> NotSent | None:
    """Return how the try ends when the invitation is no longer wanted, or may not be; None when it is.

    `is_chosen` when a person has it sent, knowing that the candidate may be invited already.

    The opportunity is read again unless it was read lately and no webhook about it arrived since. The invitation then
    gets the name and address of now. Raises PlatformError when Lever doesn't answer.
    """
    read_at = database.now()
    if not _must_be_read(invitation, read_at):
        return None
    try:
        opportunity = clients.lever().opportunity(invitation.opportunity_id)
    except PlatformError as error:
        if error.status not in {403, 404}:
            raise
        return _wait_or_cancel(invitation)
    if reason := _reason_not_to_send(invitation, opportunity, clients):
        return _cancel(invitation, reason)
    return with_retry(partial(_refresh, effect, invitation, opportunity, read_at, is_chosen))


def _wait_or_cancel(invitation: Invitation) -> NotSent:
    """Ask Lever again later; cancel the invitation when Lever hasn't shown the candidate several times in a row."""
    reads = invitation.not_shown_reads + 1
    wait = wait_until_shown(reads)
    if wait is None:
        return _cancel(invitation, NOT_SHOWN)
    Invitation.objects.filter(pk=invitation.pk).update(not_shown_reads=reads)
    return Retry(NOT_SHOWN, wait)


def _must_be_read(invitation: Invitation, now: datetime) -> bool:
    """Whether the last reading is old, a person asked for another, or a webhook has arrived since, decided or not."""
    checked_at = invitation.checked_at
    if checked_at is None or not invitation.email or now - checked_at >= READ_AGAIN_AFTER:
        return True
    return has_webhook_since(invitation.organization_id, invitation.opportunity_id, checked_at)


def _reason_not_to_send(invitation: Invitation, opportunity: Opportunity, clients: ClientProvider) -> str:
    if opportunity.is_archived:
        return "The candidate was archived before the invitation was sent."
    if opportunity.is_anonymized or not opportunity.may_contact:
        return "The candidate may no longer be contacted."
    if invitation.in_any_stage:
        return ""
    organization = invitation.organization
    name = stage_name(organization, opportunity.stage_id, clients)
    if not trigger_policy(organization).is_trigger(opportunity.stage_id, name):
        return "The candidate left the stage before the invitation was sent."
    is_same_stage = opportunity.stage_id == invitation.stage_id
    assessment = KnownAssessment(invitation.assessment_id, invitation.assessment_name)
    # a candidate who went on to a stage with the same assessment isn't invited anew there
    if is_same_stage or leads_to(assessment, organization, opportunity, name, clients):
        return ""
    return f"Before the invitation was sent, the candidate moved to “{name}”, which has another assessment or none."


def _cancel(invitation: Invitation, reason: str) -> Cancelled:
    return Cancelled(reason, also=partial(invitation.move, Status.WITHDRAWN, reason))


def _refresh(
    effect: Effect, invitation: Invitation, opportunity: Opportunity, read_at: datetime, is_chosen: bool
) -> NotSent | None:
    """Write the name and address of now, unless the person has the assessment elsewhere or has no address."""
    with transaction.atomic():
        Organization.objects.lock(invitation.organization_id)
        if not effect.fenced().exists():
            return LeaseLost()
        if Erasure.objects.forbids(invitation.organization_id, invitation.opportunity_id):
            return _cancel(invitation, "The person's data was erased.")
        person = Person.of_opportunity(invitation.organization_id, opportunity)
        is_tagged = has_progress_tag(opportunity.tags) and not is_chosen
        if is_tagged and not invitations_of(person).explain(opportunity.tags):
            return make_uncertain(effect, invitation, TAGGED)
        if other := blocking_elsewhere(person, invitation.assessment_id, invitation.created_at):
            phrase = f"{other.status_phrase} since {other.since} (invitation {other.id})"
            return _cancel(invitation, f"The same person has it through another opportunity: {phrase}.")
        email = first_usable_email(opportunity.emails)
        if not email:
            return fail(effect, invitation, NO_ADDRESS, ADD_ADDRESS)
        if email.casefold() == invitation.email.casefold():
            email = invitation.email  # a repeated call has to be the same as the first
        if email != invitation.email and _may_have_arrived(effect, invitation):
            return make_uncertain(effect, invitation, ANOTHER_ADDRESS)
        name = opportunity.name[:500] or invitation.candidate_name
        changes: dict[str, object] = {
            "candidate_name": name,
            "email": email,
            "checked_at": read_at,
            "erased_at": None,
            "not_shown_reads": 0,
        }
        is_corrected = (name, email) != (invitation.candidate_name, invitation.email)
        if is_corrected and invitation.first_call_at is None:
            changes["external_id"] = invitation.new_external_id()
        if opportunity.contact_id:
            changes["contact_id"] = opportunity.contact_id[:200]
        if not Invitation.objects.filter(pk=invitation.pk, status=Status.PENDING).update(**changes):
            return DecideOnRecording(partial(cancel_or_retry, invitation))
        if is_corrected:
            candidate = Candidate.objects.filter(
                organization=invitation.organization_id, opportunity_id=invitation.opportunity_id
            )
            candidate.update(name=name, email=email)
        store_people_shown(invitation.organization, [opportunity])
        invitation.refresh_from_db()
    return None


def _may_have_arrived(effect: Effect, invitation: Invitation) -> bool:
    """Whether CodeScreen may repeat its answer to an earlier call, which then says nothing about another address."""
    connection, first_call_at = effect.organization.codescreen, invitation.first_call_at
    if connection is None or not connection.idempotency or first_call_at is None:
        return False
    return database.now() - first_call_at < KEY_VALID_FOR
