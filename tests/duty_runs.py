"""Duties as a worker performs them, without waiting for the clock."""

from integrations.models import Duty, DutyRun, Organization
from integrations.queue import duties


def perform(duty: Duty, organization: Organization) -> DutyRun:
    """Perform one duty of one organization now; return its row afterwards."""
    DutyRun.objects.request(duty, [organization.pk])
    row = DutyRun.objects.get(duty=duty, organization=organization)
    leased = row.lease()
    assert leased is not None
    duties.perform_duty(leased)
    row.refresh_from_db()
    return row
