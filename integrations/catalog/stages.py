"""Trigger stages and mappings as the rules need them, and the stage of candidates who passed."""

from collections.abc import Container

from django.core.exceptions import ValidationError

from integrations.catalog.lists import stages_named_in_copy
from integrations.catalog.models import RoleMapping, Stage
from integrations.core.rules.mappings import MappingIndex, MappingRule, TriggerPolicy
from integrations.core.rules.names import closest_name
from integrations.organizations.models.organization import Organization
from integrations.store.questions import role_mappings

# An organization's role mappings and trigger stages, as the rules need them.


def mapping_index(organization: Organization) -> MappingIndex:
    """Return the organization's role mappings as they were written, indexed."""
    return MappingIndex(MappingRule(*row) for row in role_mappings(organization.pk))


def trigger_policy(organization: Organization) -> TriggerPolicy:
    """Return which stages may lead to an invitation: those with the prefix, and those that a mapping names."""
    mapped = RoleMapping.objects.filter(organization=organization).exclude(stage="")
    stages = mapped.order_by("stage").values_list("stage", flat=True).distinct()
    return TriggerPolicy(organization.stage_prefix, frozenset(stages))


def trigger_stages(organization: Organization) -> list[Stage]:
    """Return the stages in Lever that may lead to an invitation, in the pipeline's order."""
    policy = trigger_policy(organization)
    stages = Stage.objects.live().filter(organization=organization).order_by("position", "pk")
    return [stage for stage in stages if policy.is_trigger(stage.external_id, stage.name)]


# The stage that candidates are moved to when CodeScreen states Passed, checked against Lever's stages.


def why_target_invites(organization: Organization, *, by_mapping: bool = True) -> str:
    """Return why entering the stage on pass would send an invitation again; empty when it wouldn't."""
    written = organization.passed_stage.strip()
    if not written:
        return ""
    known = stages_named_in_copy(organization, written) if organization.pk else []
    named = [(stage.external_id, stage.name) for stage in known] or [(written, written)]
    policy = TriggerPolicy(organization.stage_prefix)
    if organization.pk and by_mapping:
        policy = trigger_policy(organization)
    if not any(policy.is_trigger(*stage) for stage in named):
        return ""
    name = known[0].name if known else written
    return (
        f"Entering “{name}” sends an assessment, because its name begins with "
        f"“{organization.stage_prefix}” or a mapping names it. Choose a stage that doesn't."
    )


def refuse_inviting_target(organization: Organization, changed: Container[str]) -> None:
    """Raise ValidationError when changing these policies is what makes the stage on pass invite.

    Any other change is accepted, whatever has become of the stage: a mapping added since, which the doctor reports,
    must not keep anybody from pausing.
    """
    if "passed_stage" in changed:
        reason = why_target_invites(organization)
    else:
        reason = why_target_invites(organization, by_mapping=False) if "stage_prefix" in changed else ""
    if reason:
        raise ValidationError({"passed_stage": reason})


def unknown_target_message(organization: Organization) -> str:
    """Return a sentence: Lever doesn't have the stage on pass, and which one was probably meant."""
    names = Stage.objects.live().filter(organization=organization).values_list("name", flat=True)
    meant = closest_name(organization.passed_stage, names)
    hint = f" Did you mean “{meant}”?" if meant else ""
    written = organization.passed_stage.strip()
    return f"Lever has no stage “{written}”, which the policies name for those who passed.{hint}"
