"""Add, change and delete role mappings."""

from django.db import transaction

from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Changes,
    Role,
    RoleMapping,
    TargetKind,
)

FIELDS = ("role", "stage", "assessment")


def save_mapping(mapping: RoleMapping, actor: Actor) -> Changes:
    """Store a new or changed mapping; return what differs from the stored one, nothing when it is the same.

    Raises ValidationError by field.
    """
    with transaction.atomic():
        stored = RoleMapping.objects.filter(pk=mapping.pk).first()
        changes = {
            field: (getattr(stored, field, ""), getattr(mapping, field))
            for field in FIELDS
            if getattr(stored, field, "") != getattr(mapping, field)
        }
        if not changes:
            return {}
        mapping.full_clean()
        mapping.save()
        action = AuditAction.CHANGE_MAPPING if stored else AuditAction.ADD_MAPPING
        AuditEntry.record(mapping.organization, actor, action, _target(mapping), changes)
    return changes


def delete_mapping(mapping: RoleMapping, actor: Actor) -> None:
    """Delete a mapping."""
    with transaction.atomic():
        changes = {field: (getattr(mapping, field), "") for field in FIELDS if getattr(mapping, field)}
        target = _target(mapping)
        mapping.delete()
        AuditEntry.record(mapping.organization, actor, AuditAction.DELETE_MAPPING, target, changes)


def assign_assessment(role: Role, assessment: str, actor: Actor) -> bool:
    """Map one role, in any CodeScreen stage, to an assessment; return whether that changed anything.

    A mapping that names the role by title or id is changed. A new one names it by title, or by id where several
    postings share the title: their title would map them all.
    """
    organization = role.organization
    same_title = Role.objects.live().filter(organization=organization, title=role.title)
    name = role.title if role.title and same_title.count() == 1 else role.external_id
    any_stage = RoleMapping.objects.filter(organization=organization, stage="")
    mapping = any_stage.filter(role__in=[name, role.external_id]).first()
    mapping = mapping or RoleMapping(organization=organization, role=name)
    mapping.assessment = assessment
    return bool(save_mapping(mapping, actor))


def _target(mapping: RoleMapping) -> AuditTarget:
    return AuditTarget(TargetKind.MAPPING, mapping.pk, str(mapping))
