"""What authorizes calls to one organization's Lever: the tokens of an OAuth grant, or an API key."""

import time
from abc import ABC, abstractmethod
from datetime import timedelta
from functools import partial

from integrations.clients.hooks import AfterCall, CallContext, after_call
from integrations.clients.limits import require_time_for_calls
from integrations.core.vocabulary import Platform
from integrations.http import stop_signal
from integrations.http.session import NotConnected, PlatformError, PlatformSession
from integrations.lever import oauth
from integrations.lever.models.connection import LeverAccess, LeverConnection
from integrations.lever.regions import Region
from integrations.lever.transport import TokenSource, basic, bearer
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
KEY_REFUSED = "Lever refuses the API key. It was deleted in Lever, or its account is in the other region."


def token_source(connection: LeverConnection, record_call: AfterCall | None = None) -> TokenSource:
    """Return what authorizes calls with this connection.

    Calls to the authorization server pass no limits: they don't count against the account's rate limit, and don't
    show whether the API works.
    """
    if connection.api_key:
        return ApiKey(connection)
    session = PlatformSession(
        Platform.LEVER,
        Region(connection.region).auth_url,
        customer=connection.organization_id,
        after_call=record_call or after_call(connection.organization, CallContext()),
    )
    return GrantTokens(connection, session)


class _Secrets(ABC):
    """The secrets of one connection, which is read again when Lever refuses them, and when it was read a while ago."""

    #: Why a person has to connect Lever again, once Lever refused the last that there are.
    refused = ""

    def __init__(self, connection: LeverConnection) -> None:
        self._connection = connection

    @abstractmethod
    def credentials_of(self, connection: LeverConnection) -> str:
        """Return the credentials that are stored now; empty once those are of the other kind."""

    def current(self) -> str:
        """Return credentials that should work now."""
        is_old = time.monotonic() - self._connection.read_at > READ_AGAIN_AFTER_SECONDS
        return self.credentials_of(self._working() if is_old else self._required())

    def give_up(self, refused: str) -> None:
        """Record that a person has to connect Lever again, unless there are newer credentials."""
        connection = self._working()
        if self.credentials_of(connection) == refused:
            connection.mark_needs_reconnect(self.refused)

    def _working(self) -> LeverConnection:
        """Return the connection as it is now. Raises NotConnected."""
        self._connection.refresh_from_db()
        self._connection.read_at = time.monotonic()
        return self._required()

    def _required(self) -> LeverConnection:
        if not self._connection.is_working or not self.credentials_of(self._connection):
            raise NotConnected(NOT_CONNECTED)
        return self._connection


class ApiKey(_Secrets):
    """The API key that a Super Admin made in Lever: it works until it is deleted there."""

    refused = KEY_REFUSED

    def credentials_of(self, connection: LeverConnection) -> str:
        return basic(connection.api_key) if connection.api_key else ""

    def renew(self, refused: str) -> str:
        """Return the key that replaced the refused one meanwhile. Raises PlatformError with status 401 without one."""
        credentials = self.credentials_of(self._working())
        if credentials != refused:
            return credentials
        raise PlatformError(KEY_REFUSED, permanent=True, status=401)


class GrantTokens(_Secrets):
    """Access tokens of one organization's grant, refreshed by one worker at a time."""

    refused = FRESH_TOKEN_REFUSED

    def __init__(self, connection: LeverConnection, session: PlatformSession) -> None:
        super().__init__(connection)
        self._session = session

    def credentials_of(self, connection: LeverConnection) -> str:
        return bearer(connection.access_token) if connection.access_token else ""

    def current(self) -> str:
        """Return an access token that should work now, refreshed when it ends soon."""
        credentials, connection = super().current(), self._connection
        ends = connection.access_expires_at
        if ends is not None and ends - database.now() < EXPIRES_SOON and connection.refresh_token:
            return self.renew(credentials)
        return credentials

    def renew(self, refused: str) -> str:
        """Return an access token in place of the `refused` one. One worker exchanges it, and the others wait for that.

        Raises PlatformError with status 401 when there is none: a person then has to connect Lever again.
        """
        deadline = time.monotonic() + REFRESH_WAIT_SECONDS
        while time.monotonic() < deadline:
            connection = self._working()
            if (credentials := self.credentials_of(connection)) != refused:
                return credentials
            require_time_for_calls()  # the new tokens of an exchange that is cut off would be lost
            if connection.lease_refresh():
                return self._exchange(connection)
            stop_signal.wait(RECHECK_SECONDS)
        raise PlatformError("Another worker is still refreshing Lever's tokens.")

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
        return self.credentials_of(connection)


class OneSecret:
    """What a person gave and isn't stored yet: there is no other."""

    def __init__(self, access: LeverAccess) -> None:
        self._credentials = basic(access.api_key) if access.api_key else bearer(access.tokens["access_token"])

    def current(self) -> str:
        return self._credentials

    def renew(self, refused: str) -> str:
        """Raise PlatformError: nothing renews it."""
        raise PlatformError("Lever refuses it.", status=401)

    def give_up(self, refused: str) -> None:
        """Record nothing: there is no connection yet."""


def is_grant_dead(error: PlatformError) -> bool:
    """Whether the token endpoint's answer means that the refresh token will never work again."""
    return isinstance(error.body, dict) and error.body.get("error") in {
        "invalid_grant",
        "reauthentication_required",
    }
