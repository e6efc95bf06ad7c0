"""Duties as a worker performs them, without waiting for the clock."""

import json
from collections.abc import Callable

from integrations.organizations.models.organization import Organization
from integrations.queue import duties
from integrations.queue.models.duty_run import Duty, DutyRun, Place
from tests.support import factories


def perform(duty: Duty, organization: Organization) -> DutyRun:
    """Perform one duty of one organization now; return its row afterwards."""
    DutyRun.objects.request(duty, [organization.pk])
    row = factories.claimed(DutyRun, "one")
    assert (row.duty, row.organization_id) == (duty, organization.pk)
    duties.perform_duty(row)
    row.refresh_from_db()
    return row


def turns_until_done(turn: Callable[[Place], Place], most: int = 50) -> int:
    """Do the turns of a duty until all is done; return how many that took."""
    place: Place = {}
    for number in range(1, most + 1):
        place = json.loads(json.dumps(turn(place)))  # as the row keeps it
        if not place:
            return number
    raise AssertionError(f"it isn't done after {most} turns")


def sweep_whole(organization: Organization, *, is_full: bool = True) -> int:
    """Compare all with Lever; return how many invitations that repaired."""
    repaired, place = duties.sweep_organization(organization, {}, is_full)
    while place:
        more, place = duties.sweep_organization(organization, place, is_full)
        repaired += more
    return repaired
