"""All findings on one organization: what is set up, what works, what waits for a person. Asks no platform."""

from collections.abc import Callable, Iterator

from integrations.finding_code import FindingCode, Level
from integrations.models import Organization
from integrations.workflow.health import linter
from integrations.workflow.health.checks import (
    codescreen,
    lever,
    lever_webhooks,
    people,
    restore,
    secrets,
    shapes,
    single_sign_on,
    stages_and_roles,
    webhook_requests,
    work,
)
from integrations.workflow.health.findings import HEALTH, Finding

Check = Callable[[Organization], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    secrets.check_secrets,
    lever.check_connection,
    lever_webhooks.check_webhooks,
    webhook_requests.check_rejections,
    webhook_requests.check_former_addresses,
    lever.check_clock,
    lever.check_feedback,
    lever.check_chosen_author,
    codescreen.check_key,
    codescreen.check_stated_results,
    shapes.check_shapes,
    stages_and_roles.check_trigger_stages,
    stages_and_roles.check_stage_on_pass,
    stages_and_roles.check_roles,
    people.check_pause,
    people.check_super_admin,
    single_sign_on.check_single_sign_on,
    restore.check_restored_connection,
    restore.check_restored_log,
    restore.check_possibly_invited,
    people.check_waiting_invitations,
    people.check_ended_following,
    work.check_failed_effects,
    work.check_stuck_deliveries,
    work.check_undecided_deliveries,
    work.check_late_rows,
    work.check_workers,
    work.check_platforms,
    work.check_sweep,
    work.check_duties,
    work.check_sweep_age,
)


def findings(organization: Organization, *, with_hints: bool = False) -> list[Finding]:
    """Return what a person should know, the worst first; one finding `ok` when there is nothing.

    `with_hints` adds what is merely worth knowing about mappings.
    """
    organization = Organization.objects.reread(organization.pk)
    found = [finding for check in CHECKS for finding in check(organization)]
    found += [one for one in linter.findings(organization) if with_hints or one.level != Level.INFO]
    if not found:
        message = "Everything is set up and working. Nothing needs your attention."
        found = [Finding(organization.slug, FindingCode.OK, Level.INFO, message, "", HEALTH)]
    return sorted(found, key=lambda finding: -finding.level.severity)


def operational_findings(organization: Organization) -> list[Finding]:
    """Return the findings of the checks alone, without the linter's on mappings and tags, which are never errors."""
    organization = Organization.objects.reread(organization.pk)
    return [finding for check in CHECKS for finding in check(organization)]
