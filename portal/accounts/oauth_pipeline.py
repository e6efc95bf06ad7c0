"""The end of Lever's consent: the grant becomes the organization's LeverConnection."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from social_core.exceptions import AuthException

from integrations.lever.oauth import claims
from integrations.models import LeverConnection, Membership, Organization
from integrations.queue import notify
from integrations.workflow.operations.lever_connection import connect_lever

SESSION_ORGANIZATION = "oauth_organization"


SHARED = (
    "Another organization here is connected to the same Lever account, and both would invite its candidates. "
    "If this isn't the account you meant: disconnect, sign in to the right account in Lever, and connect again."
)


class NotSuperAdmin(AuthException):
    """The person may not connect this organization, or not any more."""

    default_code = "not_super_admin"


def save_connection(
    strategy: Any, backend: Any, response: dict[str, Any], user: Any, **_: Any
) -> dict[str, Any]:
    """Store the tokens, encrypted, for the organization the Super Admin began from. Last step of the pipeline."""
    slug = strategy.session_get(SESSION_ORGANIZATION)
    membership = Membership.objects.filter(
        user=user, organization__slug=slug or "", role=Membership.Role.SUPER_ADMIN
    ).first()
    if membership is None:
        raise NotSuperAdmin(backend)
    found = claims(response["access_token"])
    with transaction.atomic():
        organization = Organization.objects.get(pk=membership.organization_id)
        connection = connect_lever(
            organization,
            response,
            user,
            lever_user_id=found.user_id,
            lever_account_id=found.account_id,
        )
    notify.notify_workers()
    notify.request_catalog_refresh(organization)
    strategy.session_set(SESSION_ORGANIZATION, None)
    messages.success(strategy.request, f"Lever is connected to {organization.name}.")
    if _is_shared(connection):
        messages.warning(strategy.request, SHARED)
    return {"user": user}


def _is_shared(connection: LeverConnection) -> bool:
    """Whether another organization works with the same Lever account; unknown where the token doesn't name one."""
    return bool(connection.lever_account_id) and (
        LeverConnection.objects.filter(
            lever_account_id=connection.lever_account_id, state=LeverConnection.State.CONNECTED
        )
        .exclude(pk=connection.pk)
        .exists()
    )
