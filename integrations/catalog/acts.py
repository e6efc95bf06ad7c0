"""Add, change and delete role mappings and rating thresholds."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from integrations.audit.models.audited_rows import audit, target_of
from integrations.audit.models.entry import Actor, AuditAction, Changes
from integrations.catalog.lists import why_target_invites
from integrations.catalog.models import (
    CATEGORY_COLUMNS,
    MAPPED_ALREADY,
    OWN_RULES,
    RatingThresholds,
    Role,
    RoleMapping,
)
from integrations.core.vocabulary import Thresholds
from integrations.organizations.models.organization import Organization

FIELDS = ("role", *CATEGORY_COLUMNS, "stage", "assessment", *OWN_RULES)


def save_mapping(mapping: RoleMapping, actor: Actor) -> Changes:
    """Store a new or changed mapping; return what differs from the stored one, nothing when it is the same.

    Raises ValidationError with the fix.
    """
    with transaction.atomic():
        action, changes = _store(mapping)
        if changes:
            audit(mapping, actor, action, changes)
    return changes


def delete_mapping(mapping: RoleMapping, actor: Actor) -> None:
    """Delete a mapping."""
    with transaction.atomic():
        changes = {field: (getattr(mapping, field), "") for field in FIELDS if getattr(mapping, field)}
        target = target_of(mapping)
        mapping.delete()
        audit(target, actor, AuditAction.DELETE_MAPPING, changes)


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
    changes = {
        field: (getattr(before, field), getattr(mapping, field))
        for field in FIELDS
        if getattr(before, field) != getattr(mapping, field)
    }
    if changes:
        mapping.full_clean()
        if "stage_on_pass" in changes and (
            reason := why_target_invites(mapping.organization, mapping.stage_on_pass)
        ):
            raise ValidationError({"stage_on_pass": reason})
        try:
            mapping.save()
        except IntegrityError as error:  # another request has stored it since the check
            raise ValidationError(MAPPED_ALREADY) from error
    return (AuditAction.CHANGE_MAPPING if stored else AuditAction.ADD_MAPPING), changes


def set_thresholds(organization: Organization, assessment: str, thresholds: Thresholds, actor: Actor) -> bool:
    """Store the thresholds of an assessment, given by name or id; False when they were stored already.

    Results that are recorded from now on are rated by them. Raises ValidationError with the fix.
    """
    with transaction.atomic():
        stored = _stored(organization, assessment)
        if stored is not None and stored.values == thresholds:
            return False
        before = stored.values if stored else None
        row = stored or RatingThresholds(organization=organization, assessment=assessment.strip())
        row.rating_2_from, row.rating_3_from, row.rating_4_from = thresholds
        row.full_clean()
        row.save()
        changes = {"rating_thresholds": (before, thresholds)}
        audit(row, actor, AuditAction.CHANGE_RATING, changes)
    return True


def delete_thresholds(organization: Organization, assessment: str, actor: Actor) -> bool:
    """Delete the thresholds of an assessment, so that the organization's count; False when there were none."""
    with transaction.atomic():
        row = _stored(organization, assessment)
        if row is None:
            return False
        changes = {"rating_thresholds": (row.values, None)}
        target = target_of(row)
        row.delete()
        audit(target, actor, AuditAction.DELETE_RATING, changes)
    return True


def _stored(organization: Organization, assessment: str) -> RatingThresholds | None:
    return RatingThresholds.objects.filter(organization=organization, assessment=assessment.strip()).first()
