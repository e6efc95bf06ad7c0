"""Whether CodeScreen accepts the API key, how old the key is, and whether the account states results."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from integrations.finding_code import FindingCode, Level
from integrations.models import CodeScreenConnection, Organization
from integrations.workflow.health.findings import CODESCREEN_SETTINGS, SETTINGS, Finding
from integrations.workflow.health.wording import day, listed

UNTRIED_AFTER = timedelta(minutes=10)  # since the key was stored
UNCONFIRMED_AFTER = timedelta(days=1)  # since CodeScreen last accepted it; it is asked every hour
OLD_AFTER = timedelta(days=365)
ASK_FOR_RESULTS = (
    "Ask CodeScreen (hello@codescreen.com) to add result (Passed, Failed or Expired) and failureReason to the metadata "
    "of your account's results. Nothing has to be changed here."
)


def check_key(organization: Organization) -> Iterator[Finding]:
    """Yield whether the key is missing, refused, unconfirmed or old."""
    connection = organization.codescreen
    if connection is not None and connection.is_key_unreadable:
        return  # checks/secrets.py says so
    if connection is None or not connection.api_key:
        yield Finding(
            organization.slug,
            FindingCode.CODESCREEN_NOT_CONNECTED,
            Level.ERROR,
            "CodeScreen isn't connected. Nobody is invited, and what arrives from Lever is kept.",
            "Ask a Super Admin to enter the API key under Settings.",
            SETTINGS,
        )
    elif not connection.is_working:
        yield Finding(
            organization.slug,
            FindingCode.CODESCREEN_KEY_REFUSED,
            Level.ERROR,
            "CodeScreen refused the API key. Nobody is invited until it works; what arrives from Lever is kept.",
            "Ask a Super Admin to enter a valid API key under Settings.",
            SETTINGS,
        )
    else:
        yield from _check_confirmation(organization, connection)
        yield from _check_age(organization, connection)


def _check_confirmation(organization: Organization, connection: CodeScreenConnection) -> Iterator[Finding]:
    """Yield that CodeScreen hasn't accepted the key for long; it isn't asked for a paused organization."""
    now, stored_at, verified_at = timezone.now(), connection.key_stored_at, connection.verified_at
    if verified_at is None and stored_at is not None and now - stored_at > UNTRIED_AFTER:
        yield Finding(
            organization.slug,
            FindingCode.CODESCREEN_KEY_UNTRIED,
            Level.WARNING,
            "CodeScreen hasn't accepted the API key yet.",
            "Press “Test this key” under Settings.",
            CODESCREEN_SETTINGS,
        )
    if verified_at is not None and now - verified_at > UNCONFIRMED_AFTER and not organization.paused:
        yield Finding(
            organization.slug,
            FindingCode.CODESCREEN_KEY_UNHEARD,
            Level.WARNING,
            f"CodeScreen last accepted the API key on {day(verified_at)}, although it is tried every hour.",
            "Press “Test this key” under Settings and read the answer.",
            CODESCREEN_SETTINGS,
        )


def _check_age(organization: Organization, connection: CodeScreenConnection) -> Iterator[Finding]:
    stored_at = connection.key_stored_at
    if stored_at is not None and timezone.now() - stored_at > OLD_AFTER:
        yield Finding(
            organization.slug,
            FindingCode.CODESCREEN_KEY_OLD,
            Level.INFO,
            f"The CodeScreen API key is more than a year old. It has been in use since {day(stored_at)}.",
            "Ask CodeScreen for a new key when it suits you, and save it under Settings. Nothing is interrupted.",
            CODESCREEN_SETTINGS,
        )


def check_stated_results(organization: Organization) -> Iterator[Finding]:
    """Yield that CodeScreen states no result for this account, as its published API doesn't, and what then never acts.

    Before the first result that isn't known, and only worth saying where a policy depends on it.
    """
    connection = organization.codescreen
    if connection is None or not connection.is_working or connection.states_results:
        return
    waiting = [
        name
        for name, is_set in {
            "the stage on pass": bool(organization.passed_stage.strip()),
            "the review of failed candidates": organization.hold_failed,
            "the result tags": bool(organization.passed_tag.strip() or organization.failed_tag.strip()),
        }.items()
        if is_set
    ]
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
    yield Finding(
        organization.slug,
        FindingCode.RESULTS_NOT_STATED,
        Level.INFO,
        message,
        ASK_FOR_RESULTS,
        CODESCREEN_SETTINGS,
    )
