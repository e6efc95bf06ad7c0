"""From an organization's connections to ready clients; one worker at a time refreshes an access token."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial

from django.conf import settings

from integrations.clients import call_window
from integrations.clients.hooks import AfterCall, CallContext, after_call, before_call
from integrations.clients.limits import CallLimits
from integrations.codescreen.client import CodeScreenClient
from integrations.core.vocabulary import Platform
from integrations.http import stop_signal
from integrations.http.session import NotConnected, PlatformError, PlatformSession
from integrations.lever import oauth
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.store import database
from integrations.store.database import with_retry

EXPIRES_SOON = timedelta(minutes=2)
REFRESH_WAIT_SECONDS = 20.0
RECHECK_SECONDS = 0.2
#: In a longer step the connection is read again before a call: somebody may have ended it.
READ_AGAIN_AFTER_SECONDS = 5.0

NOT_CONNECTED = "Lever is not connected. Reconnect it under Settings."
NO_REFRESH_TOKEN = (
    "Lever refused the access token, and there is no refresh token: offline_access was not granted."
)
GRANT_ENDED = "Lever says the grant is no longer valid. It was revoked in Lever, or has ended."
FRESH_TOKEN_REFUSED = "Lever refuses a fresh access token. The app was revoked in Lever."


class TokenManager:
    """Access tokens of one organization's grant, refreshed by one worker at a time.

    The connection is read again when Lever refuses the token, and when it was read some seconds ago.
    """

    def __init__(self, connection: LeverConnection, session: PlatformSession) -> None:
        self._connection = connection
        self._session = session

    def current(self) -> str:
        """Return an access token that should work now, refreshed when it ends soon."""
        is_old = time.monotonic() - self._connection.read_at > READ_AGAIN_AFTER_SECONDS
        connection = self._working() if is_old else self._required()
        ends = connection.access_expires_at
        if ends is not None and ends - database.now() < EXPIRES_SOON and connection.refresh_token:
            return self.renew(connection.access_token)
        return connection.access_token

    def renew(self, refused: str) -> str:
        """Return an access token in place of the `refused` one. One worker exchanges it, and the others wait for that.

        Raises PlatformError with status 401 when there is none: a person then has to connect Lever again.
        """
        deadline = time.monotonic() + REFRESH_WAIT_SECONDS
        while time.monotonic() < deadline:
            connection = self._working()
            if connection.access_token != refused:
                return connection.access_token
            call_window.require_open()  # the new tokens of an exchange that is cut off would be lost
            if connection.lease_refresh():
                return self._exchange(connection)
            stop_signal.wait(RECHECK_SECONDS)
        raise PlatformError("Another worker is still refreshing Lever's tokens.")

    def give_up(self, refused: str) -> None:
        """Record that Lever refused a fresh token too: the grant was revoked, unless there is a newer one."""
        connection = self._working()
        if connection.access_token == refused:
            connection.mark_needs_reconnect(FRESH_TOKEN_REFUSED)

    def _working(self) -> LeverConnection:
        """Return the connection as it is now. Raises NotConnected."""
        self._connection.refresh_from_db()
        self._connection.read_at = time.monotonic()
        return self._required()

    def _required(self) -> LeverConnection:
        if not self._connection.is_working:
            raise NotConnected(NOT_CONNECTED)
        return self._connection

    def _exchange(self, connection: LeverConnection) -> str:
        if not connection.refresh_token:
            connection.mark_needs_reconnect(NO_REFRESH_TOKEN)
            raise PlatformError(NO_REFRESH_TOKEN, permanent=True, status=401)
        try:
            tokens = oauth.refresh(self._session, connection.refresh_token)
        except PlatformError as error:
            if is_grant_dead(error):
                connection.mark_needs_reconnect(GRANT_ENDED)
                raise PlatformError(GRANT_ENDED, permanent=True, status=401) from error
            connection.release_refresh()
            raise PlatformError(str(error), retry_after=error.retry_after) from error
        # the old refresh token can't be used again: losing the new pair while the database restarts would end the grant
        with_retry(partial(connection.rotate, tokens))
        return connection.access_token


class OneToken:
    """The access token of a grant that isn't stored yet: there is no other."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    def current(self) -> str:
        return self._access_token

    def renew(self, refused: str) -> str:
        """Raise PlatformError: nothing renews it."""
        raise PlatformError("Lever refused the new access token.", status=401)

    def give_up(self, refused: str) -> None:
        """Record nothing: there is no connection yet."""


def is_grant_dead(error: PlatformError) -> bool:
    """Whether the token endpoint's answer means that the refresh token will never work again."""
    return isinstance(error.body, dict) and error.body.get("error") in {
        "invalid_grant",
        "reauthentication_required",
    }


def token_manager(connection: LeverConnection, record_call: AfterCall | None = None) -> TokenManager:
    """Return the access tokens of a grant.

    Calls to the authorization server pass no limits: they don't count against the account's rate limit, and don't
    show whether the API works.
    """
    record_call = record_call or after_call(connection.organization, CallContext())
    session = PlatformSession(
        Platform.LEVER,
        settings.LEVER_AUTH_URL,
        customer=connection.organization_id,
        after_call=record_call,
    )
    return TokenManager(connection, session)


NO_LEVER = "Lever is not connected. Connect it under Settings."
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
    session = _lever_session(organization, context, connection.lever_account_id)
    return LeverClient(session, token_manager(connection, after_call(organization, context)))


def lever_client_with(organization: Organization, access_token: str, account_id: str) -> LeverClient:
    """Return a client that uses an access token which isn't stored yet."""
    session = _lever_session(organization, CallContext(), account_id)
    return LeverClient(session, OneToken(access_token))


def _lever_session(organization: Organization, context: CallContext, account_id: str) -> PlatformSession:
    limits = CallLimits(organization, Platform.LEVER, f"lever:{account_id or organization.pk}")
    return _session(organization, Platform.LEVER, settings.LEVER_API_URL, context, limits)


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
    return codescreen_client_with(organization, connection.api_key, context)


def codescreen_client_with(
    organization: Organization, api_key: str, context: CallContext | None = None
) -> CodeScreenClient:
    """Return a client that uses this key, stored or not."""
    platform = Platform.CODESCREEN
    limits = CallLimits(organization, platform)  # CodeScreen states no rate limit
    session = _session(organization, platform, settings.CODESCREEN_API_URL, context or CallContext(), limits)
    return CodeScreenClient(session, api_key)
