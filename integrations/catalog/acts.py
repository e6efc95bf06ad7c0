"""Add, change and delete role mappings."""

from collections.abc import Iterable

from integrations.audit.kept_rows import KeptRows
from integrations.audit.models.entry import Actor, AuditAction
from integrations.catalog.models import CATEGORY_COLUMNS, MAPPED_ALREADY, OWN_RULES, Role, RoleMapping
from integrations.members.models.membership import ADMINS
from integrations.organizations.models.organization import Organization

#: What a mapping holds for.
PLACE = ("role", *CATEGORY_COLUMNS, "stage")
MAPPINGS = KeptRows(
    RoleMapping,
    roles=ADMINS,
    named_by=PLACE,
    taken=MAPPED_ALREADY,
    told=(*PLACE, "assessment", *OWN_RULES),
    added=AuditAction.ADD_MAPPING,
    changed=AuditAction.CHANGE_MAPPING,
    removed=AuditAction.DELETE_MAPPING,
)


def assign_assessment(
    organization: Organization, roles: Iterable[Role], assessment: str, actor: Actor
) -> int:
    """Map these roles, in any CodeScreen stage, to an assessment, all or none; return how many mappings that changed.

    A mapping that names the role by title or id is changed. A new one names it by title, or by id where several
    postings share the title: their title would map them all.
    """
    return len(MAPPINGS.save_all(organization, (_mapping_of(role, assessment) for role in roles), actor))


def _mapping_of(role: Role, assessment: str) -> RoleMapping:
    """Return the role's mapping to the assessment, as it is to be stored."""
    organization = role.organization
    same_title = Role.objects.live().filter(organization=organization, title=role.title)
    name = role.title if role.title and same_title.count() == 1 else role.external_id
    any_stage = RoleMapping.objects.filter(organization=organization, stage="")
    mapping = any_stage.filter(role__in=[name, role.external_id]).first()
    mapping = mapping or RoleMapping(organization=organization, role=name)
    mapping.assessment = assessment
    return mapping
