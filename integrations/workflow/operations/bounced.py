"""What people do about an invitation that bounced: correct the address in Lever, then have it sent again."""

from django.db import transaction

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.invitation_status import InvitationStatus as Status
from integrations.models import Actor, Invitation, Organization
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.invitations import invite_again
from integrations.workflow.rules.addresses import first_usable_email

NOT_BOUNCED = "This invitation didn't bounce, or was dealt with since."
NOT_CORRECTED = (
    "The candidate's address in Lever is still the one that bounced. Correct it in Lever first, then press "
    "“Correct and send again” once more."
)
NO_ADDRESS = "The candidate has no e-mail address in Lever. Add it there first."
NOT_SHOWN = "Lever no longer shows this candidate, so the address can't be read."
ARCHIVED = "The candidate is archived in Lever. Unarchive them first."
NO_CONTACT = "The candidate may no longer be contacted."
CORRECTED = "It bounced. The address was corrected in Lever, and the next round sent to it."


def correct_and_send_again(
    invitation: Invitation, actor: Actor, clients: ClientProvider, reason: str = ""
) -> Invitation:
    """End tracking an invitation that bounced, and return the next round, which goes to the address of now.

    Raises ActionNotAllowed, also when the address in Lever is still the same, and PlatformError.
    """
    _require_bounced(invitation)
    _require_corrected(invitation, clients)
    with transaction.atomic():
        Organization.objects.lock(invitation.organization_id)
        invitation.lock()
        _require_bounced(invitation)
        invitation.move(Status.WITHDRAWN, CORRECTED, next_poll_at=None, stopped_by_user=True)
        return invite_again(invitation, actor, reason)


def _require_bounced(invitation: Invitation) -> None:
    if not invitation.is_bounced:
        raise ActionNotAllowed(NOT_BOUNCED)


def _require_corrected(invitation: Invitation, clients: ClientProvider) -> None:
    try:
        candidate = clients.lever().opportunity(invitation.opportunity_id)
    except PlatformError as error:
        if error.status in {403, 404}:
            raise ActionNotAllowed(NOT_SHOWN) from error
        raise
    if candidate.is_archived:
        raise ActionNotAllowed(ARCHIVED)
    if candidate.is_anonymized or not candidate.may_contact:
        raise ActionNotAllowed(NO_CONTACT)
    address = first_usable_email(candidate.emails)
    if not address:
        raise ActionNotAllowed(NO_ADDRESS)
    if address.casefold() == invitation.email.casefold():
        raise ActionNotAllowed(NOT_CORRECTED)
