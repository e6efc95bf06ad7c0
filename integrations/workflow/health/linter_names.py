"""Findings on names that the platforms don't list: of assessments, roles and stages."""

from collections.abc import Iterator

from integrations.workflow.health.findings import Finding, FindingCode
from integrations.workflow.health.linter_snapshot import LinterSnapshot
from integrations.workflow.rules.assessments import matching_assessments
from integrations.workflow.rules.naming import normalize


def unknown_assessments(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield each mention of an assessment that CodeScreen doesn't list."""
    if not snapshot.knows_assessments:
        return
    for mention in snapshot.assessment_mentions():
        if matching_assessments(mention.written, snapshot.assessments):
            continue
        is_gone = bool(matching_assessments(mention.written, snapshot.gone_assessments))
        problem = "is no longer in CodeScreen" if is_gone else "isn't in CodeScreen"
        hint = snapshot.assessment_names.hint(mention.written)
        message = f"{mention.where} names “{mention.written}”, which {problem}.{hint}"
        yield snapshot.finding(FindingCode.UNKNOWN_ASSESSMENT, message, mention.fix)


def unknown_roles(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings whose role Lever doesn't list."""
    if not snapshot.knows_roles:
        return
    for rule in snapshot.mappings.rules:
        if not snapshot.role_names.find(rule.role):
            hint = snapshot.role_names.hint(rule.role)
            message = f"The mapping for “{rule.role}” has a role that isn't in Lever.{hint}"
            fix = "Choose the role again, or remove the mapping."
            yield snapshot.finding(FindingCode.UNKNOWN_ROLE, message, fix)


def unknown_stages(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings whose stage Lever doesn't list, for example after a rename."""
    if not snapshot.knows_stages:
        return
    for rule in snapshot.mappings.rules:
        if rule.is_for_any_stage or snapshot.stage_names.find(rule.stage):
            continue
        new_name = snapshot.new_stage_names.get(normalize(rule.stage), "")
        guess = f"It may have been renamed.{snapshot.stage_names.hint(rule.stage)}"
        reason = f"It was renamed to “{new_name}”." if new_name else guess
        message = (
            f"The mapping for “{rule.role}” has the stage “{rule.stage}”, which isn't in Lever. {reason}"
        )
        yield snapshot.finding(FindingCode.UNKNOWN_STAGE, message, "Choose the stage again.")


def renamed_stages(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield stages that were trigger stages by their former name and no longer are."""
    policy = snapshot.trigger_policy
    for stage in snapshot.stages:
        if policy.has_prefix(stage.former_name) and not policy.is_trigger(stage.external_id, stage.name):
            message = f"The stage “{stage.former_name}” was renamed to “{stage.name}” in Lever and no longer invites."
            fix = f"Let its name begin with “{policy.prefix}” in Lever, or add a mapping with this stage."
            yield snapshot.finding(FindingCode.RENAMED_STAGE, message, fix)
