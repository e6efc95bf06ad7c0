"""When an invitation is polled, and by one worker at a time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.codescreen.client import CodeScreenClient
from integrations.http.session import CallDeferred
from integrations.invitations.models.invitation import Invitation
from integrations.queue import worker
from integrations.results import poll
from tests.support import factories


def test_a_due_poll_is_claimed_once(db):
    invitation = factories.InvitationFactory(
        status="invited", instance_id="instance-1", next_poll_at=timezone.now() - timedelta(seconds=1)
    )
    assert poll.claim_polls(1) == [invitation]
    assert poll.claim_polls(1) == []


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
        moment = poll.next_poll(row, now)
        assert moment is not None
        assert low <= moment - now <= high


def test_a_poll_whose_call_was_deferred_comes_soon_and_counts_no_failure(invitation, monkeypatch):
    def defer(*_):
        raise CallDeferred(4.0)

    monkeypatch.setattr(CodeScreenClient, "status", defer)
    Invitation.objects.filter(pk=invitation.pk).update(next_poll_at=timezone.now() - timedelta(seconds=1))
    (claimed,) = poll.claim_polls(1)
    assert claimed is not None
    worker.poll_invitation(claimed)
    row = Invitation.objects.get(pk=invitation.pk)
    assert row.poll_failures == 0
    assert row.next_poll_at is not None
    assert timedelta(0) < row.next_poll_at - timezone.now() < timedelta(seconds=5)
