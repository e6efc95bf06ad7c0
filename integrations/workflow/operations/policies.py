"""The policies of an organization, and how they are changed."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Changes,
    Organization,
    TargetKind,
)
from integrations.workflow.catalog import stage_on_pass
from integrations.workflow.operations.waiting import requeue_waiting

#: How every e-mail of the organization looks.
BRANDING = ("brand_logo_url", "brand_colour", "brand_signature")
#: The columns of Organization that are policies. Their types and rules are the columns'.
POLICIES = (
    "stage_prefix",
    "bulk_limit",
    "bulk_window",
    "default_assessment",
    "note_on_skip",
    "paused",
    "rating_2_from",
    "rating_3_from",
    "rating_4_from",
    "reentry",
    "reentry_days",
    "leaving",
    "retention_days",
    "passed_tag",
    "failed_tag",
    "passed_stage",
    "hold_failed",
    *BRANDING,
)


def set_policies(organization: Organization, values: Mapping[str, object], actor: Actor) -> Changes:
    """Store policies; return what changed. The end of a pause requeues what waited for it.

    Raises ValidationError with the fix, by field.
    """
    unknown = set(values) - set(POLICIES)
    if unknown:
        raise ValidationError(f"No such policy: {', '.join(sorted(unknown))}.")
    changes = {
        name: (getattr(organization, name), value)
        for name, value in values.items()
        if getattr(organization, name) != value
    }
    if not changes:
        return {}
    for name, (_, value) in changes.items():
        setattr(organization, name, value)
    organization.full_clean()
    stage_on_pass.refuse_inviting_target(organization, changes)
    with transaction.atomic():
        organization.save(update_fields=list(changes))
        target = AuditTarget(TargetKind.ORGANIZATION, organization.pk, organization.name)
        AuditEntry.record(organization, actor, AuditAction.CHANGE_POLICIES, target, changes)
        if "paused" in changes and not organization.paused:
            requeue_waiting(organization)
    return changes
