"""Whether Lever is connected, for how long and with which scopes, and whether the clocks agree."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from integrations.lever.oauth import scopes_of
from integrations.models import LeverConnection, Organization
from integrations.workflow.health.checks.addresses import HEALTH, LEVER_SETTINGS, SETTINGS
from integrations.workflow.health.findings import Finding, FindingCode, Level
from integrations.workflow.health.lever_probe import latest_probe
from integrations.workflow.health.wording import day, lasting, listed

TOKEN_WARNING, TOKEN_ERROR = timedelta(days=30), timedelta(days=7)
SKEW_WARNING, SKEW_ERROR = 30.0, 120.0  # seconds
SKEW_VALID_FOR = timedelta(days=1)


def check_connection(organization: Organization) -> Iterator[Finding]:
    """Yield whether Lever isn't connected, when its consent ends, and which scopes it didn't grant."""
    connection = organization.lever
    if connection is None or connection.state == LeverConnection.State.REVOKED:
        yield Finding(
            organization.slug,
            FindingCode.LEVER_NOT_CONNECTED,
            Level.ERROR,
            "Lever isn't connected, so nobody is invited.",
            "Ask a Super Admin to connect Lever under Settings.",
            SETTINGS,
        )
        return
    if connection.state == LeverConnection.State.CONNECTED and connection.is_unreadable:
        return  # checks/secrets.py says so
    if not connection.is_working:
        yield Finding(
            organization.slug,
            FindingCode.LEVER_RECONNECT,
            Level.ERROR,
            "Lever no longer accepts the connection. Nobody is invited until it works; what arrives is kept.",
            "Ask a Super Admin to connect Lever again under Settings.",
            SETTINGS,
        )
        return
    yield from _check_consent_end(organization, connection)
    yield from _check_scopes(organization, connection)
    yield from _check_account(organization)


def _check_consent_end(organization: Organization, connection: LeverConnection) -> Iterator[Finding]:
    ends_at = connection.ends_at
    if ends_at is None:
        return
    remaining = ends_at - timezone.now()
    if remaining > TOKEN_WARNING:
        return
    when = f"{'ends' if remaining > timedelta() else 'ended'} on {day(ends_at)}"
    yield Finding(
        organization.slug,
        FindingCode.LEVER_TOKEN_ENDS,
        Level.ERROR if remaining <= TOKEN_ERROR else Level.WARNING,
        f"The connection to Lever {when}. Lever ends every connection after one year.",
        "Ask a Super Admin to connect Lever again under Settings. It can be done early, and nothing is lost.",
        SETTINGS,
    )


def _check_scopes(organization: Organization, connection: LeverConnection) -> Iterator[Finding]:
    """Yield which scopes are missing; nothing when Lever didn't state what it granted."""
    granted = connection.granted_scopes
    needed = scopes_of(attaches_files=organization.attach_report)
    missing = [scope for scope in needed if not granted & {scope, scope.replace(":read:", ":write:")}]
    if granted and missing:
        reasons = listed(f"{scope} (to {needed[scope]})" for scope in missing)
        yield Finding(
            organization.slug,
            FindingCode.LEVER_SCOPES_MISSING,
            Level.WARNING,
            f"Lever didn't grant all the permissions that the portal needs: {reasons}.",
            "Add these scopes to the registered Lever app, then connect Lever again under Settings.",
            SETTINGS,
        )


def _check_account(organization: Organization) -> Iterator[Finding]:
    """Yield that another organization is connected to the same Lever account."""
    probe = latest_probe(organization)
    if probe is not None and probe.is_account_shared:
        yield Finding(
            organization.slug,
            FindingCode.LEVER_ACCOUNT_SHARED,
            Level.WARNING,
            "Another organization here is connected to the same Lever account, so candidates could be invited by both.",
            "If this is the wrong account: disconnect, sign in to the right one in Lever, and connect again.",
            LEVER_SETTINGS,
        )


def check_clock(organization: Organization) -> Iterator[Finding]:
    """Yield how far this server's clock and Lever's are apart, when that is much and was measured lately."""
    connection = organization.lever
    if connection is None or connection.clock_ahead is None or connection.clock_compared_at is None:
        return
    apart = abs(connection.clock_ahead)
    if apart < SKEW_WARNING or timezone.now() - connection.clock_compared_at > SKEW_VALID_FOR:
        return
    where = "ahead of" if connection.clock_ahead > 0 else "behind"
    yield Finding(
        organization.slug,
        FindingCode.CLOCK_SKEW,
        Level.ERROR if apart >= SKEW_ERROR else Level.WARNING,
        f"This server's clock is {lasting(apart)} {where} Lever's. Tokens may be renewed too late, and webhooks may be "
        "rejected as too old.",
        "Ask the portal's operator to switch on time synchronization, for example with `timedatectl set-ntp true`.",
        HEALTH,
    )
