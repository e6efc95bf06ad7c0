"""Findings on open roles that name several assessments, or none."""

from collections.abc import Iterator

from integrations.models import Role
from integrations.workflow.health.findings import Finding, FindingCode, Level
from integrations.workflow.health.linter_snapshot import LinterSnapshot
from integrations.workflow.health.wording import listed
from integrations.workflow.rules.assessments import matching_assessments
from integrations.workflow.rules.naming import normalize


def ambiguous_assessments(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield open roles for which several different assessments are named at once."""
    for role in snapshot.open_roles:
        for written in _names_that_compete(snapshot, role):
            names = {
                assessment.id: assessment.name
                for name in written
                for assessment in matching_assessments(name, snapshot.assessments)
            }
            # one name that two assessments have is a finding of its own
            if len({normalize(name) for name in names.values()}) > 1:
                quoted = listed(f"“{name}”" for name in names.values())
                message = (
                    f"“{role.title}” has several assessments, so its candidates are not invited: {quoted}."
                )
                fix = "Keep only one of them, in the role's tags in Lever or in the mappings."
                yield snapshot.finding(FindingCode.AMBIGUOUS_ASSESSMENT, message, fix)


def _names_that_compete(snapshot: LinterSnapshot, role: Role) -> list[list[str]]:
    """Return the assessments that the role's mappings name, stage by stage, and those that its tags name."""
    by_stage: dict[str, list[str]] = {}
    for rule in snapshot.rules_for(role):
        stage = snapshot.stage_names.find(rule.stage) or normalize(rule.stage)
        by_stage.setdefault(stage, []).append(rule.assessment)
    competing = list(by_stage.values())
    if snapshot.may_use_tags(role):
        competing.append(list(snapshot.tags[role.pk]))
    return competing


def roles_without_assessment(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield one finding with the open roles that no mapping, tag or default gives an assessment."""
    if snapshot.organization.default_assessment.strip():
        return
    roles = [
        role for role in snapshot.open_roles if not snapshot.tags[role.pk] and not snapshot.rules_for(role)
    ]
    if roles:
        quoted = listed(f"“{role.title}”" for role in roles)
        message = f"These open roles have no assessment, so their candidates are not invited: {quoted}."
        fix = "Add mappings, tag the roles in Lever with “CodeScreen {assessment name}”, or set a default assessment."
        yield snapshot.finding(FindingCode.ROLE_WITHOUT_ASSESSMENT, message, fix, Level.INFO)
