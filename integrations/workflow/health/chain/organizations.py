"""Whether the organizations are those that the logs know: none can be removed with its log unseen, nor all logs."""

from integrations.models import AuditAction, AuditEntry, Organization
from integrations.workflow.health.chain.announced import entries_of_new_organizations
from integrations.workflow.health.chain.faults import Fault, FaultCode, Report


def report_organizations(report: Report) -> None:
    """Report organizations that were made and aren't there, and those whose making the portal's chain doesn't have.

    The portal removes no organization, and makes each together with its entry. What is made meanwhile is no fault: it
    isn't among those that were there before the entries were read, and is among those that are there afterwards.
    """
    before = Organization.objects.in_bulk()
    entries = list(entries_of_new_organizations().order_by("position"))
    there = set(Organization.objects.values_list("pk", flat=True))
    for entry in entries:
        if entry.target_id not in there:
            text = f"organization {entry.target_id} ({entry.target}), made at position {entry.position}, was removed."
            report(Fault(FaultCode.ORGANIZATION_REMOVED, entry.position, text))
    for pk in sorted(before.keys() - {entry.target_id for entry in entries}):
        text = f"that organization {pk} ({before[pk].slug}) was made is missing in this chain."
        report(Fault(FaultCode.ORGANIZATION_UNKNOWN, 0, text))


def report_beginning(chain: int, report: Report) -> None:
    """Report the chain of an organization that doesn't begin with the entry that it was made."""
    first = AuditEntry.objects.in_chain(chain).filter(position=1, action=AuditAction.CREATE_ORGANIZATION)
    if not first.exists():
        text = "the chain doesn't begin with the making of the organization: it was emptied, or begins anew."
        report(Fault(FaultCode.BEGINNING_MISSING, 1, text))
