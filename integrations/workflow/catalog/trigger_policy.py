"""An organization's role mappings and trigger stages, as the rules need them."""

from django.db.models import QuerySet

from integrations.models import Organization, RoleMapping, Stage
from integrations.models.prepared import prepared
from integrations.workflow.rules.mapping_index import MappingIndex, MappingRule
from integrations.workflow.rules.trigger import TriggerPolicy


def mapping_index(organization: Organization) -> MappingIndex:
    """Return the organization's role mappings as they were written, indexed."""
    return MappingIndex(MappingRule(*row) for row in _mappings.all(organization.pk))


@prepared
def _mappings(organization_id: int) -> QuerySet[RoleMapping, tuple[str, str, str]]:
    rows = RoleMapping.objects.filter(organization=organization_id).order_by("role", "stage")
    return rows.values_list("role", "stage", "assessment")


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
