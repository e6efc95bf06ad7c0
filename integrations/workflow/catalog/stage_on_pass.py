"""The stage that candidates are moved to when CodeScreen states Passed, checked against Lever's stages."""

from collections.abc import Container

from django.core.exceptions import ValidationError

from integrations.models import Organization, Stage
from integrations.workflow.catalog.lookup import stages_named_in_copy
from integrations.workflow.catalog.trigger_policy import trigger_policy
from integrations.workflow.rules.naming import closest_name
from integrations.workflow.rules.trigger import TriggerPolicy


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
