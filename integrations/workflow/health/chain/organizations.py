"""Whether the organizations are those that the portal's own chain knows: one can't be removed with its log unseen."""

from integrations.models import AuditAction, AuditEntry, Organization
from integrations.workflow.health.chain.announced import entries_of_new_organizations
from integrations.workflow.health.chain.faults import Fault, FaultCode, Report


def report_organizations(report: Report) -> None:
    """Report organizations that were made and aren't there, and those whose making the portal's chain doesn't have.

    The portal removes no organization.
    """
    there = set(Organization.objects.values_list("pk", flat=True))
    made = set()
    for entry in entries_of_new_organizations().order_by("position"):
        made.add(entry.target_id)
        if entry.target_id not in there:
            text = f"organization {entry.target_id} ({entry.target}), made at position {entry.position}, was removed."
            report(Fault(FaultCode.ORGANIZATION_REMOVED, entry.position, text))
    first = AuditEntry.objects.filter(action=AuditAction.CREATE_ORGANIZATION, position=1)
    own = first.filter(organization__isnull=False).exclude(organization__in=made - {None})
    for organization in Organization.objects.filter(pk__in=own.values("organization")).order_by("pk"):
        text = f"that organization {organization.pk} ({organization.slug}) was made is missing in this chain."
        report(Fault(FaultCode.ORGANIZATION_UNKNOWN, 0, text))
