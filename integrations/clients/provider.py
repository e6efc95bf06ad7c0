"""From an organization's connections to ready clients."""

from collections.abc import Callable
from functools import cache, partial

from django.conf import settings

from integrations.clients.hooks import CallContext, after_call, before_call
from integrations.clients.lever_tokens import OneSecret, token_source
from integrations.clients.limits import CallLimits
from integrations.codescreen.client import CodeScreenClient
from integrations.core.vocabulary import Platform
from integrations.http.session import NotConnected, PlatformError, PlatformSession
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverAccess, LeverConnection
from integrations.lever.regions import Region
from integrations.organizations.models.organization import Organization

NO_LEVER = "Lever is not connected. Connect it under Settings."
NO_AUTHOR = (
    "Lever lists no active user with the address in perform_as. Name another one; "
    "the API key needs the box “Read: users”."
)
NO_CODESCREEN = "CodeScreen has no working API key. Save one under Settings."


class ClientProvider:
    """Both clients for one step of an organization whose connections were read just now, each made at its first use.

    Either raises NotConnected.
    """

    def __init__(self, organization: Organization, context: CallContext | None = None) -> None:
        context = context or CallContext()
        self.lever: Callable[[], LeverClient] = cache(partial(lever_client, organization, context))
        self.codescreen: Callable[[], CodeScreenClient] = cache(
            partial(codescreen_client, organization, context)
        )


def lever_client(organization: Organization, context: CallContext | None = None) -> LeverClient:
    """Return a client for the organization's Lever. Raises NotConnected when there is no working connection."""
    context = context or CallContext()
    connection = organization.working_lever
    if connection is None:
        raise NotConnected(NO_LEVER)
    session = _lever_session(organization, context, connection.lever_account_id, connection.region)
    client = LeverClient(session, token_source(connection, after_call(organization, context)))
    if connection.lever_user_email and not connection.lever_user_id:
        _find_author(connection, client)
    return client


def _find_author(connection: LeverConnection, lever: LeverClient) -> None:
    """Look up the author that the organization's file names by an address. Raises NotConnected where there is none."""
    try:
        users = [user for user in lever.users(email=connection.lever_user_email) if user.is_active]
    except PlatformError as error:
        if error.status != 403:
            raise
        users = []
    if not users:
        connection.mark_needs_reconnect(NO_AUTHOR)
        raise NotConnected(NO_AUTHOR)
    connection.store_user(users[0].id, users[0].name, users[0].email)


def lever_client_with(organization: Organization, access: LeverAccess) -> LeverClient:
    """Return a client that uses what a person gave and isn't stored yet."""
    session = _lever_session(organization, CallContext(), access.account_id, access.region)
    return LeverClient(session, OneSecret(access))


def _lever_session(
    organization: Organization, context: CallContext, account_id: str, region: str
) -> PlatformSession:
    limits = CallLimits(organization, Platform.LEVER, f"lever:{account_id or organization.pk}")
    return _session(organization, Platform.LEVER, Region(region).api_url, context, limits)


def _session(
    organization: Organization,
    platform: Platform,
    base_url: str,
    context: CallContext,
    limits: CallLimits,
) -> PlatformSession:
    return PlatformSession(
        platform,
        base_url,
        customer=organization.pk or 0,
        before_call=before_call(limits, context),
        after_call=after_call(organization, context, limits),
    )


def codescreen_client(
    organization: Organization, context: CallContext | None = None, *, allow_refused: bool = False
) -> CodeScreenClient:
    """Return a client for the organization's CodeScreen. Raises NotConnected when there is no working key.

    `allow_refused` allows a key that CodeScreen refused before, to see whether it works again.
    """
    connection = organization.codescreen
    if connection is None or not connection.api_key or not (connection.is_working or allow_refused):
        raise NotConnected(NO_CODESCREEN)
    return codescreen_client_with(organization, connection.api_key, context, connection.list_path)


def codescreen_client_with(
    organization: Organization, api_key: str, context: CallContext | None = None, list_path: str = ""
) -> CodeScreenClient:
    """Return a client that uses this key, stored or not, and asks for the list by this name first."""
    platform = Platform.CODESCREEN
    limits = CallLimits(organization, platform)  # CodeScreen states no rate limit
    session = _session(organization, platform, settings.CODESCREEN_API_URL, context or CallContext(), limits)
    return CodeScreenClient(session, api_key, list_path)
