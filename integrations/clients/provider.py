"""From an organization's connections to ready clients."""

from collections.abc import Callable
from functools import cached_property

from django.conf import settings

from integrations.clients.call_hooks import after_call, before_call
from integrations.clients.context import CallContext
from integrations.clients.tokens import OneToken, token_manager
from integrations.codescreen.client import CodeScreenClient
from integrations.http.call_limits import CallLimits
from integrations.http.errors import NotConnected
from integrations.http.session import PlatformSession
from integrations.lever.client import LeverClient
from integrations.models import Organization
from integrations.vocabulary import Platform

NO_LEVER = "Lever is not connected. Connect it under Settings."
NO_CODESCREEN = "CodeScreen has no working API key. Save one under Settings."


class ClientProvider:
    """Both clients for one step of an organization, each made at its first use."""

    def __init__(self, organization: Organization, context: CallContext) -> None:
        self._organization = organization
        self._context = context

    def lever(self) -> LeverClient:
        """Return the Lever client. Raises NotConnected."""
        return self._lever

    def codescreen(self) -> CodeScreenClient:
        """Return the CodeScreen client. Raises NotConnected."""
        return self._codescreen

    @cached_property
    def _lever(self) -> LeverClient:
        return lever_client(self._organization, self._context)

    @cached_property
    def _codescreen(self) -> CodeScreenClient:
        return codescreen_client(self._organization, self._context)


def clients_for(organization: Organization, context: CallContext | None = None) -> ClientProvider:
    """Return the clients for one step of an organization whose connections were read just now."""
    return ClientProvider(organization, context or CallContext())


def lever_client(organization: Organization, context: CallContext | None = None) -> LeverClient:
    """Return a client for the organization's Lever. Raises NotConnected when there is no working connection."""
    context = context or CallContext()
    connection = organization.lever
    if connection is None or not connection.is_working:
        raise NotConnected(NO_LEVER)
    session = _lever_session(organization, context, connection.lever_account_id, connection.record_clock_skew)
    return LeverClient(session, token_manager(connection, after_call(organization, context)))


def lever_client_with(organization: Organization, access_token: str, account_id: str) -> LeverClient:
    """Return a client that uses an access token which isn't stored yet."""
    return LeverClient(_lever_session(organization, CallContext(), account_id), OneToken(access_token))


def _lever_session(
    organization: Organization,
    context: CallContext,
    account_id: str,
    record_clock_skew: Callable[[float], None] | None = None,
) -> PlatformSession:
    limits = CallLimits(organization, Platform.LEVER, f"lever:{account_id or organization.pk}")
    return PlatformSession(
        Platform.LEVER,
        settings.LEVER_API_URL,
        customer=organization.pk or 0,
        before_call=before_call(limits, context),
        after_call=after_call(organization, context, limits, record_clock_skew),
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
    return codescreen_client_with(organization, connection.api_key, context)


def codescreen_client_with(
    organization: Organization, api_key: str, context: CallContext | None = None
) -> CodeScreenClient:
    """Return a client that uses this key, stored or not."""
    context = context or CallContext()
    limits = CallLimits(organization, Platform.CODESCREEN)
    session = PlatformSession(
        Platform.CODESCREEN,
        settings.CODESCREEN_API_URL,
        customer=organization.pk or 0,
        before_call=before_call(limits, context),
        after_call=after_call(organization, context, limits),
    )
    return CodeScreenClient(session, api_key)
