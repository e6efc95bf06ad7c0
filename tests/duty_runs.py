"""Duties as a worker performs them, without waiting for the clock."""

from integrations.models import Duty, DutyRun, Organization
from integrations.queue import duties
from tests import factories


def perform(duty: Duty, organization: Organization) -> DutyRun:
    """Perform one duty of one organization now; return its row afterwards."""
    DutyRun.objects.request(duty, [organization.pk])
    row = factories.claimed(DutyRun, "one")
    assert (row.duty, row.organization_id) == (duty, organization.pk)
    duties.perform_duty(row)
    row.refresh_from_db()
    return row
