"""All findings on one organization: what is set up, what works, what waits for a person. Asks no platform."""

from collections.abc import Callable, Iterator

from integrations.core.finding_code import FindingCode
from integrations.health import linter
from integrations.health.checks import connections, set_up, webhooks, work
from integrations.health.findings import Finding, finding
from integrations.organizations.models.organization import Organization

Check = Callable[[Organization], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    set_up.check_secrets,
    connections.check_connection,
    connections.check_other_integration,
    webhooks.check_webhooks,
    webhooks.check_rejections,
    connections.check_feedback,
    connections.check_key,
    connections.check_stated_results,
    set_up.check_trigger_stages,
    set_up.check_stage_on_pass,
    set_up.check_roles,
    work.check_pause,
    work.check_super_admin,
    set_up.check_api_tokens,
    set_up.check_possibly_invited,
    work.check_waiting_invitations,
    work.check_failed_effects,
    work.check_messages,
    work.check_undecided_deliveries,
    work.check_workers,
    work.check_room,
    work.check_platforms,
    work.check_sweep,
    work.check_duties,
    work.check_sweep_age,
)


def findings(organization: Organization) -> list[Finding]:
    """Return what a person should know, the worst first; one finding `ok` when there is nothing."""
    organization = Organization.objects.reread(organization.pk)
    found = [one for check in CHECKS for one in check(organization)]
    found += linter.findings(organization)
    if not found:
        found = [
            finding(FindingCode.OK, "Everything is set up and working. Nothing needs your attention.", "")
        ]
    return sorted(found, key=lambda one: -one.level.severity)


def operational_findings(organization: Organization) -> list[Finding]:
    """Return the findings of the checks alone, without the linter's on mappings and tags, which are never errors."""
    organization = Organization.objects.reread(organization.pk)
    return [one for check in CHECKS for one in check(organization)]
