"""An organization's role mappings and trigger stages, as the rules need them."""

from integrations.models import Organization, RoleMapping, Stage
from integrations.models.step_questions import role_mappings
from integrations.workflow.rules.mapping_index import MappingIndex, MappingRule
from integrations.workflow.rules.trigger import TriggerPolicy


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
