"""Set and delete the rating thresholds of one assessment."""

from django.db import transaction

from integrations.models import (
    Actor,
    AuditAction,
    Organization,
    RatingThresholds,
    audit,
    target_of,
)
from integrations.vocabulary import Thresholds


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
