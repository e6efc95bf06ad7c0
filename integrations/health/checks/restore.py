"""What is left to do after a restored backup, until it is done, and signs that one wasn't reported."""

from collections.abc import Iterator

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.core.finding_code import FindingCode, Level
from integrations.core.rules.facts import EnteredBefore
from integrations.health.findings import ACTIVITY, HEALTH, LEVER_SETTINGS, Finding, counted
from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization

#: Causes that come from rows that are lost.
_LOST = (EnteredBefore.RESTORE, EnteredBefore.PROGRESS_TAG)


def check_restored_connection(organization: Organization) -> Iterator[Finding]:
    """Yield that Lever's tokens are those of the backup, until Lever is connected again or has accepted them."""
    lever, until = organization.lever, organization.rows_lost_until
    if until is None or lever is None or not lever.is_working:
        return
    if lever.refreshed_at is None or lever.refreshed_at < until:
        yield Finding(
            organization.slug,
            FindingCode.RESTORED_CONNECTION,
            Level.WARNING,
            "The database was restored, so Lever's tokens are those of the backup. Lever replaces them at each renewal "
            "and probably refuses these.",
            "Ask a Super Admin to connect Lever again under Settings.",
            LEVER_SETTINGS,
        )


def check_restored_log(organization: Organization) -> Iterator[Finding]:
    """Yield that nobody has compared the audit log with what was announced of it, since it was restored.

    Faults settle it too: the end that was announced after the backup is missing.
    """
    since = organization.rows_lost_from
    if since is None:
        return
    checks = AuditEntry.objects.filter(
        organization=organization, action=AuditAction.VERIFY_LOG, at__gte=since, changes__has_key="head"
    )
    if not checks.exists():
        yield Finding(
            organization.slug,
            FindingCode.RESTORED_LOG,
            Level.WARNING,
            "The database was restored, so the audit log ends with the backup. Of what was recorded afterwards only "
            "the heads are known that were announced, by e-mail and in the portal's log.",
            f"Ask the portal's operator to compare the last one: `manage.py verify_audit {organization.slug} --head "
            "POSITION:HASH`. Keep what it says beside the entry “record a restore”.",
            HEALTH,
        )


def check_possibly_invited(organization: Organization) -> Iterator[Finding]:
    """Yield how many candidates may be invited already, by rows that are lost, and wait for a person."""
    offered = Delivery.objects.offered().filter(organization=organization)
    number = offered.filter(facts__entered_before__in=[cause.value for cause in _LOST]).count()
    if not number:
        return
    unreported = (
        ""
        if organization.rows_lost_until
        else " If the database was restored, run `manage.py restored` first."
    )
    yield Finding(
        organization.slug,
        FindingCode.POSSIBLY_INVITED,
        Level.WARNING,
        f"{counted(number, 'candidate')} may be invited already: no invitation here tells, but Lever shows an entry "
        "from before a restore, or a progress tag.",
        f"Look for them in CodeScreen. An Admin then invites those who aren't, under Candidates.{unreported}",
        ACTIVITY.at("?verdict=entered_before"),
    )
