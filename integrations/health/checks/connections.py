"""Whether Lever and CodeScreen are connected and can be used."""

from collections.abc import Iterator
from datetime import timedelta

from integrations.catalog.feedback_template import missing_fields, stored_template
from integrations.catalog.models import RoleMapping
from integrations.codescreen.client import NOT_CODESCREEN
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.finding_code import FindingCode, Level
from integrations.core.rules.facts import Pause
from integrations.health.findings import (
    Finding,
    day,
    finding,
    listed,
)
from integrations.lever.models.connection import LeverConnection
from integrations.lever.oauth import scopes_of
from integrations.lever.permissions import boxes, has_box
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import RULES
from integrations.store import database

TOKEN_WARNING, TOKEN_ERROR = timedelta(days=30), timedelta(days=7)


def check_connection(organization: Organization) -> Iterator[Finding]:
    """Yield whether Lever isn't connected, when its consent ends, which scopes it didn't grant, and whose it is too."""
    connection = organization.lever
    if connection is None or connection.state == LeverConnection.State.REVOKED:
        yield finding(
            FindingCode.LEVER_NOT_CONNECTED,
            "Lever isn't connected, so nobody is invited.",
            "A Super Admin connects Lever under Settings.",
        )
        return
    if connection.state == LeverConnection.State.CONNECTED and connection.is_unreadable:
        return  # health/checks/set_up.py says so
    if not connection.is_working:
        yield finding(
            FindingCode.LEVER_RECONNECT,
            f"Lever no longer accepts the connection. {connection.state_reason} Nobody is invited until it works; what "
            "arrives is kept.",
            "A Super Admin connects Lever again under Settings.",
        )
        return
    yield from _check_restored(organization, connection)
    yield from _check_consent_end(connection)
    yield from _check_scopes(organization, connection)
    if connection.is_account_shared:
        yield finding(
            FindingCode.LEVER_ACCOUNT_SHARED,
            "Another organization here is connected to the same Lever account, so candidates could be invited by both.",
            "If this is the wrong account: disconnect, sign in to the right one in Lever, and connect again.",
        )


def check_other_integration(organization: Organization) -> Iterator[Finding]:
    """Yield that CodeScreen's own Lever integration may be on too; a warning where a person says that it is off."""
    if organization.other_webhook_since is not None:
        message = (
            "A webhook in Lever leads to CodeScreen's own Lever integration, which invites the same people."
        )
    elif organization.pause is Pause.OTHER_INTEGRATION:
        message = (
            "Somebody who just moved has a progress tag that the portal didn't set. So CodeScreen's own Lever "
            "integration may be on too."
        )
    else:
        return
    if organization.other_integration_off:
        yield finding(
            FindingCode.OTHER_INTEGRATION,
            f"{message} A person has said that it is off.",
            "Delete that webhook in Lever under Settings › Integrations and API › Webhooks.",
            level=Level.WARNING,
        )
        return
    yield finding(
        FindingCode.OTHER_INTEGRATION,
        f"{message} Nothing is sent meanwhile, and what arrives is kept.",
        "In Lever delete its webhook, and revoke CodeScreen under Settings › Integrations and API › Authorized Apps. "
        "Then a Super Admin says on the overview that it is off. After a restore, run `manage.py restored` first.",
    )


def _check_restored(organization: Organization, connection: LeverConnection) -> Iterator[Finding]:
    """Yield that the tokens are those of a backup, until Lever is connected again or has accepted them."""
    until = organization.rows_lost_until
    is_renewed = connection.ends_at is not None  # an API key stays the same
    if (
        until is not None
        and is_renewed
        and (connection.refreshed_at is None or connection.refreshed_at < until)
    ):
        yield finding(
            FindingCode.LEVER_RECONNECT,
            "The database was restored, so Lever's tokens are those of the backup. Lever replaces them at each renewal "
            "and probably refuses these.",
            "A Super Admin connects Lever again under Settings.",
            level=Level.WARNING,
        )


def _check_consent_end(connection: LeverConnection) -> Iterator[Finding]:
    ends_at = connection.ends_at
    if ends_at is None:
        return
    remaining = ends_at - database.now()
    if remaining > TOKEN_WARNING:
        return
    when = f"{'ends' if remaining > timedelta() else 'ended'} on {day(ends_at)}"
    yield finding(
        FindingCode.LEVER_TOKEN_ENDS,
        f"The connection to Lever {when}. Lever ends every connection after one year.",
        "A Super Admin connects Lever again under Settings. It can be done early, and nothing is lost.",
        level=Level.ERROR if remaining <= TOKEN_ERROR else None,
    )


def _check_scopes(organization: Organization, connection: LeverConnection) -> Iterator[Finding]:
    """Yield which scopes are missing, by what Lever stated or refused."""
    needed = scopes_of(attaches_files=organization.attach_report)
    missing = [scope for scope in needed if connection.lacks(scope)]
    if missing and not connection.scopes:
        reasons = listed(f"{boxes(scope)} (to {needed[scope]})" for scope in missing if has_box(scope))
        yield finding(
            FindingCode.LEVER_SCOPES_MISSING,
            f"The API key lacks permissions in Lever that the portal needs: {reasons}.",
            "In Lever, make a key that has these boxes too, under Settings › Integrations and API › API Credentials. "
            "Enter it under Settings › Integrations.",
        )
    elif missing:
        reasons = listed(f"{scope} (to {needed[scope]})" for scope in missing)
        yield finding(
            FindingCode.LEVER_SCOPES_MISSING,
            f"Lever didn't grant all the permissions that the portal needs: {reasons}.",
            "Add these scopes to the registered Lever app, then connect Lever again under Settings.",
        )


def check_feedback(organization: Organization) -> Iterator[Finding]:
    """Yield which fields the feedback template lacks, as Lever last had it."""
    connection = organization.working_lever
    copy = stored_template(connection) if connection else None
    if copy is not None and (missing := missing_fields(copy)):
        yield finding(
            FindingCode.FEEDBACK_TEMPLATE_INCOMPLETE,
            f"The feedback form in Lever lacks {listed(missing)}, so results are written without it.",
            "In Lever's feedback forms, add the fields with exactly these names. Or delete the form there, and the "
            "portal makes a complete one.",
        )


ASK_FOR_RESULTS = (
    "Ask CodeScreen (hello@codescreen.com) to add result (Passed, Failed or Expired) and failureReason to the metadata "
    "of your account's results. Or set your own passing score under Roles and rules › Rules."
)


def check_key(organization: Organization) -> Iterator[Finding]:
    """Yield whether the key is missing, not tried yet or refused, or CodeScreen's API isn't there."""
    connection = organization.codescreen
    if connection is not None and connection.is_key_unreadable:
        return  # health/checks/set_up.py says so
    if connection is None or not connection.api_key:
        yield finding(
            FindingCode.CODESCREEN_NOT_CONNECTED,
            "CodeScreen isn't connected. Nobody is invited, and what arrives from Lever is kept.",
            "A Super Admin enters the API key under Settings.",
        )
    elif connection.state == CodeScreenConnection.State.UNTRIED:
        yield finding(
            FindingCode.CODESCREEN_NOT_CONNECTED,
            "An API key is stored, but CodeScreen hasn't answered yet whether it accepts it.",
            "The portal asks again automatically. A key that is entered again under Settings is tried at once.",
            level=Level.WARNING,
        )
    elif connection.state == CodeScreenConnection.State.NOT_FOUND:
        yield finding(
            FindingCode.CODESCREEN_NOT_FOUND,
            f"{NOT_CODESCREEN}. Nobody is invited until it is found; what arrives from Lever is kept.",
            "The portal's operator corrects CODESCREEN_API_URL. If it is CodeScreen's, ask CodeScreen "
            "(hello@codescreen.com) by which address it lists assessments now.",
        )
    elif not connection.is_working:
        yield finding(
            FindingCode.CODESCREEN_KEY_REFUSED,
            "CodeScreen refused the API key. Nobody is invited until it works; what arrives from Lever is kept.",
            "A Super Admin enters a valid API key under Settings.",
        )


def has_bar(organization: Organization) -> bool:
    """Whether the organization, or one of its mappings, has a passing score of its own."""
    own = RoleMapping.objects.filter(organization=organization, passing_score__isnull=False)
    return organization.passing_score is not None or own.exists()


def check_stated_results(organization: Organization) -> Iterator[Finding]:
    """Yield that CodeScreen states no result for this account, as its published API doesn't, and what then never acts.

    Before the first result that isn't known, and only worth saying where a policy depends on it.
    """
    connection = organization.codescreen
    if connection is None or not connection.is_working or connection.states_results:
        return
    if organization.passing_score is not None:
        return  # then every score is told as meeting it or not
    waiting = [
        name
        for name, is_set in {
            f"“{RULES['stage_on_pass'].verbose_name}”": bool(organization.stage_on_pass.strip()),
            "the result tags": bool(organization.passed_tag.strip() or organization.failed_tag.strip()),
        }.items()
        if is_set
    ]
    if waiting and has_bar(organization):
        waiting = []
    if connection.states_results is None and not waiting:
        return
    if connection.states_results is None:
        message = (
            "No result has arrived yet, so it isn't known whether CodeScreen states Passed or Failed for your account. "
            f"Its published API doesn't. Until it does, these have no effect: {listed(waiting)}."
        )
    else:
        idle = f" These have no effect: {listed(waiting)}." if waiting else ""
        message = (
            "CodeScreen's last result didn't say Passed, Failed or Expired. Its published API gives only the score and "
            f"the report link. Feedback in Lever therefore says “not stated”.{idle}"
        )
    yield finding(FindingCode.RESULTS_NOT_STATED, message, ASK_FOR_RESULTS)
