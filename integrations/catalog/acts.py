"""Add, change and delete role mappings."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from integrations.audit.models.entry import Actor, AuditAction, Changes, changes_to
from integrations.audit.record import audit, target_of
from integrations.catalog.models.platform_lists import Role
from integrations.catalog.models.role_mapping import (
    CATEGORY_COLUMNS,
    MAPPED_ALREADY,
    NO_RULE,
    OWN_RULES,
    RoleMapping,
)
from integrations.organizations.models.organization import Organization

#: What a mapping holds for.
PLACE = ("role", *CATEGORY_COLUMNS, "stage")
FIELDS = (*PLACE, "assessment", *OWN_RULES)


def save_mapping(mapping: RoleMapping, actor: Actor) -> Changes:
    """Store a new or changed mapping; return what differs from the stored one, nothing when it is the same.

    Raises ValidationError with the fix.
    """
    with transaction.atomic():
        _lock(mapping)
        action, changes = _store(mapping)
        if changes:
            audit(mapping, actor, action, changes)
    return changes


def delete_mapping(mapping: RoleMapping, actor: Actor) -> None:
    """Delete a mapping."""
    with transaction.atomic():
        _lock(mapping)
        changes = {
            field: (getattr(mapping, field), "") for field in FIELDS if getattr(mapping, field) not in NO_RULE
        }
        target = target_of(mapping)
        mapping.delete()
        audit(target, actor, AuditAction.DELETE_MAPPING, changes)


def _lock(mapping: RoleMapping) -> None:
    """Take the organization's lock first, as who decides does.

    PostgreSQL checks foreign keys at COMMIT: who decides by the mapping holds the end of the log then, and waits for
    who changes the mapping.
    """
    Organization.objects.lock(mapping.organization_id)


def assign_assessment(roles: Sequence[Role], assessment: str, actor: Actor) -> int:
    """Map these roles, in any CodeScreen stage, to an assessment, all or none; return how many mappings that changed.

    A mapping that names the role by title or id is changed. A new one names it by title, or by id where several
    postings share the title: their title would map them all.
    """
    with transaction.atomic():
        wanted = sorted(roles, key=lambda role: role.pk)  # two at once lock the mappings in one order
        mappings = (_mapping_of(role, assessment) for role in wanted)
        changed = [(mapping, *stored) for mapping in mappings if (stored := _store(mapping))[1]]
        # the entries come after all mappings: who waits for the end of the chain holds a mapping that is wanted here
        for mapping, action, changes in changed:
            audit(mapping, actor, action, changes)
    return len(changed)


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


def _store(mapping: RoleMapping) -> tuple[AuditAction, Changes]:
    """Store the mapping; return what its entry will say, no changes for none. Raises ValidationError with the fix."""
    stored = RoleMapping.objects.filter(pk=mapping.pk).first()
    before = stored or RoleMapping()
    changes = changes_to(before, {field: getattr(mapping, field) for field in FIELDS})
    if changes:
        mapping.full_clean()
        try:
            mapping.save()
        except IntegrityError as error:  # another request has stored it since the check
            raise ValidationError(MAPPED_ALREADY) from error
    return (AuditAction.CHANGE_MAPPING if stored else AuditAction.ADD_MAPPING), changes
