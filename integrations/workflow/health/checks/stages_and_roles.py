"""Whether a stage and a role can lead to an invitation, and whether the stage on pass is usable."""

from collections.abc import Iterator

from integrations.finding_code import FindingCode, Level
from integrations.models import Organization, Role, RoleMapping, Stage
from integrations.workflow.catalog import stage_on_pass
from integrations.workflow.catalog.lookup import stages_named_in_copy
from integrations.workflow.catalog.trigger_policy import trigger_policy
from integrations.workflow.health.findings import MAPPINGS, POLICY_SETTINGS, SETTINGS, Finding
from integrations.workflow.rules.tags import assessment_tags


def check_trigger_stages(organization: Organization) -> Iterator[Finding]:
    """Yield that none of Lever's stages is a trigger stage."""
    stages = list(Stage.objects.live().filter(organization=organization))
    policy = trigger_policy(organization)
    if stages and not any(policy.is_trigger(stage.external_id, stage.name) for stage in stages):
        yield Finding(
            organization.slug,
            FindingCode.NO_TRIGGER_STAGE,
            Level.ERROR,
            f"No stage in Lever begins with “{policy.prefix}”, and no mapping has a stage. So nobody can be invited.",
            f"In Lever, add a stage such as “{policy.prefix} Assessment” to the pipeline.",
            SETTINGS,
        )


def check_stage_on_pass(organization: Organization) -> Iterator[Finding]:
    """Yield that candidates who passed can't be moved: Lever doesn't list the stage, or entering it would invite."""
    written = organization.passed_stage.strip()
    connection = organization.lever
    if not written or connection is None or connection.stages_refreshed_at is None:
        return
    fix = "Choose “Stage on pass” again under Settings, then retry what failed."
    if not stages_named_in_copy(organization, written):
        yield Finding(
            organization.slug,
            FindingCode.UNKNOWN_PASSED_STAGE,
            Level.ERROR,
            f"{stage_on_pass.unknown_target_message(organization)} Nobody is moved.",
            fix,
            POLICY_SETTINGS,
        )
    elif reason := stage_on_pass.why_target_invites(organization):
        yield Finding(
            organization.slug,
            FindingCode.PASSED_STAGE_INVITES,
            Level.ERROR,
            f"{reason} Nobody is moved until then.",
            fix,
            POLICY_SETTINGS,
        )


def check_roles(organization: Organization) -> Iterator[Finding]:
    """Yield that no mapping, tag or default names an assessment for any role."""
    has_mappings = RoleMapping.objects.filter(organization=organization).exists()
    if has_mappings or organization.default_assessment.strip():
        return
    roles = Role.objects.live().filter(organization=organization).values_list("tags", "title")
    if not any(assessment_tags(map(str, tags), title) for tags, title in roles.iterator()):
        yield Finding(
            organization.slug,
            FindingCode.NO_ROLES_MAPPED,
            Level.WARNING,
            "No role has an assessment: there is no mapping, no “CodeScreen …” tag and no default.",
            "Choose an assessment for each role.",
            MAPPINGS,
        )
