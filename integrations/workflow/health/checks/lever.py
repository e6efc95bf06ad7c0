"""Whether Lever is connected and its clock right, and what is wrong with feedback there."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from integrations.finding_code import FindingCode, Level
from integrations.lever.oauth import scopes_of
from integrations.models import LeverConnection, Organization
from integrations.workflow.health.findings import AUTHOR, HEALTH, LEVER_SETTINGS, SETTINGS, Finding
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


def check_chosen_author(organization: Organization) -> Iterator[Finding]:
    """Yield that the chosen author of feedback has left Lever."""
    if organization.feedback_author and organization.feedback_author_gone:
        name = organization.feedback_author_name or organization.feedback_author
        yield Finding(
            organization.slug,
            FindingCode.FEEDBACK_AUTHOR_GONE,
            Level.WARNING,
            f"{name}, the chosen author of feedback, has left Lever. The person who connected Lever is shown instead.",
            "Choose another author under Settings.",
            AUTHOR,
        )


def check_feedback(organization: Organization) -> Iterator[Finding]:
    """Yield what the latest probe found of the feedback template and its author."""
    probe = latest_probe(organization)
    connection = organization.lever
    if probe is None or connection is None or not connection.is_working:
        return
    if probe.is_template_gone:
        yield Finding(
            organization.slug,
            FindingCode.FEEDBACK_TEMPLATE_GONE,
            Level.WARNING,
            "The feedback form “CodeScreen assessment” is no longer in Lever.",
            "Nothing to do. The portal makes it again before the next result. Please keep it in Lever from then on.",
            SETTINGS,
        )
    elif probe.missing_fields:
        yield Finding(
            organization.slug,
            FindingCode.FEEDBACK_TEMPLATE_INCOMPLETE,
            Level.WARNING,
            f"The feedback form in Lever lacks {listed(probe.missing_fields)}, so results are written without it.",
            "In Lever's feedback forms, add the fields with exactly these names. Or delete the form there, and the "
            "portal makes a complete one.",
            SETTINGS,
        )
    if probe.is_author_gone:
        yield Finding(
            organization.slug,
            FindingCode.FEEDBACK_AUTHOR_GONE,
            Level.WARNING,
            "The Lever user who is shown as the author of feedback has left Lever.",
            "Ask another Super Admin to connect Lever again under Settings. They become the author.",
            LEVER_SETTINGS,
        )
