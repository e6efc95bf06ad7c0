"""Which audit entries are about a candidate: one answer for the candidate's page, evidence and erasure."""

from integrations.models import AuditEntry, Delivery, Effect, Erasure, Invitation, TargetKind
from integrations.models.audit_entry import AuditEntryQuerySet


def audit_entries_about(organization_id: int, opportunity_id: str) -> AuditEntryQuerySet:
    """Return the entries about a row of the opportunity."""
    own = {"organization": organization_id, "opportunity_id": opportunity_id}
    rows = {
        TargetKind.INVITATION: Invitation.objects.filter(**own),
        TargetKind.DELIVERY: Delivery.objects.filter(**own),
        TargetKind.EFFECT: Effect.objects.filter(**own),
        TargetKind.ERASURE: Erasure.objects.filter(**own),
    }
    keys = {kind: found.values_list("pk", flat=True) for kind, found in rows.items()}
    return AuditEntry.objects.filter(organization=organization_id).about(keys)
