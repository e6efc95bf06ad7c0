"""What each write to Lever asks first: who is shown as its author, and whether it may be there already.

Looking costs a call for each candidate, so it is done only where the rows can't know.
"""

from integrations.clients.provider import ClientProvider
from integrations.lever.client import LeverClient
from integrations.models import Effect, Invitation, LeverConnection, Organization
from integrations.workflow.effects.kind import Author


def known_author(effect: Effect) -> str:
    """Return the author's id in Lever, empty when none is known; writes to a candidate go without one then."""
    connection = effect.organization.lever
    return connection.lever_user_id if connection else ""


def choose_author(effect: Effect, lever: LeverClient) -> str:
    """Return the author of feedback and files: the chosen user, else who connected, else the first active Super Admin.

    A chosen user who has left Lever is passed over; the last of the three is stored. Empty when Lever lists no active
    user. Raises PlatformError.
    """
    organization = effect.organization
    if organization.feedback_author and not organization.feedback_author_gone:
        return organization.feedback_author
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    if connection.lever_user_id:
        return connection.lever_user_id
    users = _active_users(lever)
    if not users:
        return ""
    LeverConnection.objects.filter(pk=connection.pk).update(lever_user_id=users[0])
    return users[0]


def replace_author(effect: Effect, clients: ClientProvider, author: Author) -> bool:
    """Choose another author if the known one has left Lever; True when the refused write is worth another try.

    Raises PlatformError.
    """
    organization = effect.organization
    is_chosen = author is Author.CHOSEN and not organization.feedback_author_gone
    if is_chosen and organization.feedback_author:
        if organization.feedback_author in _active_users(clients.lever()):
            return False
        # not another author that a person has chosen meanwhile
        same = Organization.objects.filter(pk=organization.pk, feedback_author=organization.feedback_author)
        same.update(feedback_author_gone=True)
        return True
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    if not connection.lever_user_id:
        return False
    users = _active_users(clients.lever())
    if not users or connection.lever_user_id in users:
        return False
    LeverConnection.objects.filter(pk=connection.pk).update(lever_user_id=users[0])
    return True


def _active_users(lever: LeverClient) -> list[str]:
    """Return the ids of the active users, Super Admins first."""
    users = [user for user in lever.users() if user.is_active]
    users.sort(key=lambda user: not user.is_super_admin)
    return [user.id for user in users]


def may_be_written(effect: Effect) -> bool:
    """Whether an earlier try may have written it, or the portal whose rows were lost by a restore."""
    if effect.attempt_started_at is not None:
        return True
    if effect.organization.rows_lost_until is None:
        return False
    if effect.invitation is not None:
        return effect.organization.has_lost_rows_since(effect.invitation.created_at)
    since = effect.delivery.received_at if effect.delivery is not None else effect.created_at
    return effect.organization.has_lost_rows_since(since)


def may_be_written_of(invitation: Invitation, kind: str) -> bool:
    """Whether any of the invitation's effects of this kind may have been written."""
    if invitation.organization.has_lost_rows_since(invitation.created_at):
        return True
    return invitation.effects.filter(kind=kind, attempt_started_at__isnull=False).exists()
