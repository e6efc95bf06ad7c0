"""Whether an invitation is still wanted, and may be sent, when it is about to be."""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from integrations.case.person import (
    Person,
    blocking_elsewhere,
    invitations_of,
    leads_to,
    store_people_shown,
)
from integrations.catalog.lists import stage_name, trigger_policy
from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.facts import first_usable_email
from integrations.core.rules.holds import EXTRA_TIME, explain, needs_extra_time
from integrations.core.rules.names import KnownAssessment, has_progress_tag
from integrations.core.vocabulary import DeliveryEvent, HoldReason, Platform
from integrations.http.session import PlatformError
from integrations.http.steps import wait_until_shown
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import Opportunity
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.outcome import (
    Cancelled,
    DecideOnRecording,
    Done,
    Failed,
    LeaseLost,
    Retry,
    Uncertain,
)
from integrations.outbox.sending import cancel_or_retry, fail, make_uncertain, move
from integrations.privacy.models import Erasure
from integrations.store import database
from integrations.store.database import with_retry

READ_AGAIN_AFTER = timedelta(minutes=2)
NOT_SHOWN = "Lever no longer shows the candidate."
NO_ADDRESS = "The candidate no longer has an e-mail address in Lever."
TAGGED = "The candidate has a progress tag in Lever, but no invitation here. So they may be invited already."
ADD_ADDRESS = "Add the candidate's e-mail address, then move the candidate out of the stage and back in."

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
        reads = invitation.not_shown_reads + 1
        if (wait := wait_until_shown(reads)) is None:
            return _cancel(invitation, NOT_SHOWN)
        Invitation.objects.filter(pk=invitation.pk).update(not_shown_reads=reads)
        return Retry(NOT_SHOWN, wait)
    if reason := _reason_not_to_send(invitation, opportunity, clients):
        return _cancel(invitation, reason)
    is_released = HoldReason.EXTRA_TIME in invitation.held_for
    if needs_extra_time(invitation.organization.hold_tag, opportunity.tags) and not is_released:
        return DecideOnRecording(partial(_hold, invitation))
    return with_retry(partial(_refresh, effect, invitation, opportunity, read_at, is_chosen))


def _must_be_read(invitation: Invitation, now: datetime) -> bool:
    """Whether the last reading is old, a person asked for another, or a webhook has arrived since, decided or not."""
    checked_at = invitation.checked_at
    if checked_at is None or not invitation.email or now - checked_at >= READ_AGAIN_AFTER:
        return True
    webhooks = Delivery.objects.filter(
        organization=invitation.organization_id,
        platform=Platform.LEVER,
        opportunity_id=invitation.opportunity_id,
        received_at__gt=checked_at,
    )
    return webhooks.exclude(event=DeliveryEvent.SWEEP).exists()


def _reason_not_to_send(invitation: Invitation, opportunity: Opportunity, clients: ClientProvider) -> str:
    if opportunity.is_archived:
        return "The candidate was archived before it was sent."
    if opportunity.is_anonymized or not opportunity.may_contact:
        return "The candidate may no longer be contacted."
    if invitation.in_any_stage:
        return ""
    organization = invitation.organization
    name = stage_name(organization, opportunity.stage_id, clients)
    if not trigger_policy(organization).is_trigger(opportunity.stage_id, name):
        return "The candidate left the stage before it was sent."
    is_same_stage = opportunity.stage_id == invitation.stage_id
    assessment = KnownAssessment(invitation.assessment_id, invitation.assessment_name)
    # a candidate who went on to a stage with the same assessment isn't invited anew there
    if is_same_stage or leads_to(assessment, organization, opportunity, name, clients):
        return ""
    return f"Before it was sent, the candidate moved to “{name}”, which has another assessment or none."


def _hold(invitation: Invitation) -> Done | Cancelled | Retry:
    """Put an invitation on hold, unless somebody has decided meanwhile; called in the recording transaction."""
    invitation.lock()
    if invitation.status != Status.PENDING:
        return cancel_or_retry(invitation)
    reason = explain([EXTRA_TIME])
    move(invitation, Status.HELD, reason, held_for=[*invitation.held_for, HoldReason.EXTRA_TIME])
    return Cancelled(reason)


def _cancel(invitation: Invitation, reason: str) -> Cancelled:
    return Cancelled(reason, also=partial(move, invitation, Status.WITHDRAWN, reason))


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
            return make_uncertain(invitation, TAGGED)
        if other := blocking_elsewhere(person, invitation.assessment_id, invitation.created_at):
            return _cancel(
                invitation, f"The same person has it through another opportunity: {other.standing}."
            )
        email = first_usable_email(opportunity.emails)
        if not email:
            return fail(invitation, NO_ADDRESS, ADD_ADDRESS)
        name = opportunity.name[:500] or invitation.candidate_name
        changes: dict[str, object] = {
            "candidate_name": name,
            "email": email,
            "checked_at": read_at,
            "erased_at": None,
            "not_shown_reads": 0,
        }
        is_corrected = (name, email) != (invitation.candidate_name, invitation.email)
        if opportunity.contact_id:
            changes["contact_id"] = opportunity.contact_id[:200]
        if not Invitation.objects.filter(pk=invitation.pk, status=Status.PENDING).update(**changes):
            return DecideOnRecording(partial(cancel_or_retry, invitation))
        if is_corrected:
            Candidate.objects.filter(
                organization=invitation.organization_id, opportunity_id=invitation.opportunity_id
            ).update(name=name, email=email)
        store_people_shown(invitation.organization, [opportunity])
        invitation.refresh_from_db()
    return None
