"""Connection → ready client: with its gate, the observer that writes ApiCall, and token refresh under a lease."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction

from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import CodeScreenClient
from integrations.http.errors import CallDeferred, NotConnected, PlatformError
from integrations.http.rate_limit import RateLimiter
from integrations.http.session import CallRecord, PlatformSession, new_correlation_id
from integrations.lever import oauth
from integrations.lever.client import LeverClient
from integrations.models import ApiCall, Delivery, Effect, LeverConnection, Organization, db_clock
from integrations.models.db_retry import with_retry
from integrations.models.leasing import LEASE

logger = logging.getLogger(__name__)

EXPIRES_SOON = timedelta(minutes=2)
REFRESH_WAIT_SECONDS = 20.0
RENEW_AFTER_SECONDS = 5.0

# the record of calls


def call_recorder(
    organization: Organization,
    effect: Effect | None,
    delivery: Delivery | None,
    opportunity_id: str,
    gate: RateLimiter | None = None,
    correlation_id: str = "",
    compare_clocks: Callable[[float], None] = lambda ahead: None,
) -> Callable[[CallRecord], None]:
    """Return what writes an ApiCall for each call, and lets the gate learn from it."""
    correlation_id = correlation_id or new_correlation_id()
    cause = effect or delivery
    attempt = max(1, cause.attempts) if cause else 1

    def observe(call: CallRecord) -> None:
        try:
            if gate is not None:
                gate.observe(call)
            if call.clock_ahead is not None:
                compare_clocks(call.clock_ahead)
            with transaction.atomic():
                ApiCall.objects.create(
                    organization=organization,
                    effect=effect,
                    delivery=delivery,
                    opportunity_id=opportunity_id[:200],
                    attempt=attempt,
                    correlation_id=correlation_id,
                    platform=call.platform,
                    method=call.method,
                    path=call.path[:1000],
                    status=call.status,
                    duration_ms=call.duration_ms,
                    request_body=call.request_body,
                    response_body=call.response_body,
                    error=call.error,
                )
        except (DatabaseError, InterfaceError):
            # the call happened; losing its record must not make the caller think that it didn't
            logger.exception("an API call could not be recorded")

    return observe


def pacer(gate: RateLimiter, cause: Effect | Delivery | None) -> Callable[[], None]:
    """Return what waits for a call's slot, and renews the lease of the row that the call is made for.

    A step of several slow calls would outlive a lease that is short enough to be taken up soon after a kill. Raises
    PacedOut when another worker has taken over: the call is then no longer ours to make.
    """

    def wait() -> None:
        gate.wait()
        if cause is None or not cause.lease_owner or cause.leased_until is None:
            return
        # by the row, which the step's other client renews too: this one may be made when the lease is nearly over
        age = LEASE - (cause.leased_until - db_clock.now())
        if age >= timedelta(seconds=RENEW_AFTER_SECONDS) and not cause.renew():
            raise CallDeferred(1.0, "another worker has taken this over")

    return wait


# Lever


class TokenManager:
    """Access tokens of one organization's grant, refreshed by one worker at a time."""

    def __init__(self, connection: LeverConnection, session: PlatformSession) -> None:
        self._connection = connection
        self._session = session

    def current(self) -> str:
        """Return an access token that should work now, refreshed when it ends soon."""
        connection = self._working()
        ends = connection.access_expires_at
        if ends is not None and ends - db_clock.now() < EXPIRES_SOON and connection.refresh_token:
            return self._refreshed(connection.access_token)
        return str(connection.access_token)

    def renew(self, refused: str) -> str:
        """Return another access token after Lever refused this one.

        Raises PlatformError with status 401 when there is none: the connection then needs a person.
        """
        connection = self._working()
        if connection.access_token != refused:
            return str(connection.access_token)
        return self._refreshed(refused)

    def _working(self) -> LeverConnection:
        self._connection.refresh_from_db()
        if not self._connection.is_working:
            raise NotConnected("Lever is not connected. Reconnect it under Settings.")
        return self._connection

    def _refreshed(self, stale: str) -> str:
        """Trade the refresh token once for all workers; the others wait for the winner's result."""
        deadline = time.monotonic() + REFRESH_WAIT_SECONDS
        while time.monotonic() < deadline:
            connection = self._working()
            if connection.access_token != stale:
                return str(connection.access_token)
            if connection.lease_refresh():
                return self._trade(connection)
            time.sleep(0.2)
        raise PlatformError("Another worker is still refreshing Lever's tokens.")

    def _trade(self, connection: LeverConnection) -> str:
        if not connection.refresh_token:
            reason = "Lever refused the access token, and there is no refresh token: offline_access was not granted."
            connection.mark_needs_reconnect(reason)
            raise PlatformError(reason, permanent=True, status=401)
        try:
            tokens = oauth.refresh(self._session, connection.refresh_token)
        except PlatformError as error:
            if is_grant_dead(error):
                reason = "Lever says the grant is no longer valid. It was revoked in Lever, or has ended."
                connection.mark_needs_reconnect(reason)
                raise PlatformError(reason, permanent=True, status=401) from error
            connection.release_refresh()
            raise PlatformError(str(error), retry_after=error.retry_after) from error
        # the old refresh token is spent: losing the new pair to a restart of the database would end the grant
        with_retry(partial(connection.rotate, tokens))
        return str(connection.access_token)

    def give_up(self, refused: str) -> None:
        """Record that Lever refused a fresh token too: the grant was revoked, unless there is another one since."""
        connection = self._working()
        if connection.access_token == refused:
            connection.mark_needs_reconnect(
                "Lever refuses a fresh access token. The app was revoked in Lever."
            )


def is_grant_dead(error: PlatformError) -> bool:
    """Whether the token endpoint said that the refresh token will never work again."""
    return isinstance(error.body, dict) and error.body.get("error") in {
        "invalid_grant",
        "reauthentication_required",
    }


def lever_client(
    organization: Organization,
    *,
    effect: Effect | None = None,
    delivery: Delivery | None = None,
    opportunity_id: str = "",
) -> LeverClient:
    """Return a client for the organization's Lever. Raises NotConnected when there is no working connection."""
    connection = organization.lever
    if connection is None or not connection.is_working:
        raise NotConnected("Lever is not connected. Connect it under Settings.")
    gate = RateLimiter(organization, "lever", f"lever:{connection.lever_account_id or organization.pk}")
    step = new_correlation_id()
    observe = call_recorder(
        organization,
        effect,
        delivery,
        opportunity_id,
        gate,
        step,
        compare_clocks=connection.record_clock_skew,
    )
    session = PlatformSession(
        "lever", settings.LEVER_API_URL, pace=pacer(gate, effect or delivery), observe=observe
    )
    # the authorization server isn't counted against the account's rate limit, nor does it tell of the API's health
    ungated = call_recorder(organization, effect, delivery, opportunity_id, correlation_id=step)
    return LeverClient(session, _tokens(connection, ungated))


def token_manager(connection: LeverConnection) -> TokenManager:
    """Return the access tokens of a grant, for whoever needs no client."""
    return _tokens(connection, call_recorder(connection.organization, None, None, ""))


def _tokens(connection: LeverConnection, observe: Callable[[CallRecord], None]) -> TokenManager:
    return TokenManager(connection, PlatformSession("lever", settings.LEVER_AUTH_URL, observe=observe))


# CodeScreen


def codescreen_client(
    organization: Organization,
    *,
    effect: Effect | None = None,
    delivery: Delivery | None = None,
    opportunity_id: str = "",
    allow_refused: bool = False,
) -> CodeScreenClient:
    """Return a client for the organization's CodeScreen. Raises NotConnected when there is no working key.

    `allow_refused` allows a key that was refused before, to see whether it works again.
    """
    connection = organization.codescreen
    if connection is None or not connection.api_key or not (connection.is_working or allow_refused):
        raise NotConnected("CodeScreen has no working API key. Save one under Settings.")
    gate = RateLimiter(organization, "codescreen")
    observe = call_recorder(organization, effect, delivery, opportunity_id, gate)
    pace = pacer(gate, effect or delivery)
    session = PlatformSession("codescreen", settings.CODESCREEN_API_URL, pace=pace, observe=observe)
    return CodeScreenClient(session, connection.api_key)


def clients_for(organization: Organization, **context: Any) -> ClientProvider:
    """Return both clients for one step of an organization read just now, each made when it is first called for."""

    @lru_cache(maxsize=1)
    def lever() -> Any:
        return lever_client(organization, **context)

    @lru_cache(maxsize=1)
    def codescreen() -> Any:
        return codescreen_client(organization, **context)

    return ClientProvider(lever, codescreen)
