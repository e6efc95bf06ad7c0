"""Choose the Lever user who is shown as the author of feedback."""

from django.db import transaction

from integrations.lever.client import LeverClient
from integrations.lever.lookups import LeverUser
from integrations.models import Actor, Organization
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.policies import set_policies


def possible_authors(lever: LeverClient) -> list[LeverUser]:
    """Return Lever's active users by name. Raises PlatformError."""
    return sorted((user for user in lever.users() if user.is_active), key=lambda user: user.name.casefold())


def choose_feedback_author(organization: Organization, lever: LeverClient, user_id: str, actor: Actor) -> str:
    """Store the author with the name that Lever gives; empty means the person who connected. Return the name.

    Raises ActionNotAllowed for somebody who isn't an active user in Lever, and PlatformError.
    """
    name = ""
    if user_id:
        author = next((user for user in possible_authors(lever) if user.id == user_id), None)
        if author is None:
            raise ActionNotAllowed("Lever doesn't list that user as active: choose another.")
        name = author.name[:300]
    with transaction.atomic():
        Organization.objects.filter(pk=organization.pk).update(
            feedback_author_name=name, feedback_author_gone=False
        )
        set_policies(organization, {"feedback_author": user_id}, actor, feedback_author_name=name)
    return name
