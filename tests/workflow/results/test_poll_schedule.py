"""When an invitation is polled, and by one worker at a time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Invitation
from integrations.workflow.results import poll_schedule
from tests import factories


def test_a_due_poll_is_claimed_once(db):
    invitation = factories.InvitationFactory(
        status="invited", instance_id="instance-1", next_poll_at=timezone.now() - timedelta(seconds=1)
    )
    assert poll_schedule.claim_poll() == invitation
    assert poll_schedule.claim_poll() is None


@pytest.mark.parametrize(
    ("status", "low", "high"),
    [
        ("invited", timedelta(minutes=50), timedelta(minutes=70)),
        ("in_progress", timedelta(minutes=8), timedelta(minutes=12)),
        ("submitted", timedelta(minutes=2), timedelta(minutes=4)),
        ("completed", timedelta(hours=20), timedelta(hours=28)),
        ("withdrawn", timedelta(hours=20), timedelta(hours=28)),
    ],
)
def test_the_poll_interval_follows_the_status(status, low, high):
    now = timezone.now()
    row = Invitation(status=status, invited_at=now, completed_at=now)
    for _ in range(50):
        moment = poll_schedule.next_poll(row, now)
        assert moment is not None
        assert low <= moment - now <= high
