"""Duties as a worker performs them, without waiting for the clock."""

import json
from collections.abc import Callable

from integrations.clients.duty_budget import Budget
from integrations.http.session import CallDeferred
from integrations.organizations.models.organization import Organization
from integrations.queue import duties
from integrations.queue.models.duty_run import Duty, DutyRun
from tests.support import factories


def perform(duty: Duty, organization: Organization) -> DutyRun:
    """Perform one duty of one organization now; return its row afterwards."""
    DutyRun.objects.request(duty, [organization.pk])
    row = factories.claimed(DutyRun, "one")
    assert (row.duty, row.organization_id) == (duty, organization.pk)
    duties.perform_duty(row)
    row.refresh_from_db()
    return row


def turns_until_done(step: Callable[[Budget], object], most: int = 50) -> int:
    """Do a step in turns that end after one part each, until all is done; return how many that took."""
    place: dict[str, object] = {}
    for number in range(1, most + 1):
        budget = Budget(seconds=-1)
        budget.place = json.loads(json.dumps(place))  # as the row keeps it
        try:
            step(budget)
        except CallDeferred:
            assert budget.got_on
            place = dict(budget.place)
        else:
            return number
    raise AssertionError(f"it isn't done after {most} turns")
