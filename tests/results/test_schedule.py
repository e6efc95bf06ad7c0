"""When an invitation is polled, and by one worker at a time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.codescreen.client import CodeScreenClient
from integrations.http.session import CallDeferred
from integrations.invitations.models.invitation import Invitation
from integrations.queue import worker
from integrations.results import schedule
from integrations.store import database
from tests.results.conftest import INSTANCE, URL
from tests.support import factories


def test_a_due_poll_is_claimed_once(db):
    invitation = factories.InvitationFactory(
        status="invited", instance_id="instance-1", next_poll_at=timezone.now() - timedelta(seconds=1)
    )
    assert schedule.claim_polls(1) == [invitation]
    assert schedule.claim_polls(1) == []


@pytest.mark.parametrize(
    ("status", "followed_for", "longest"),
    [
        ("invited", timedelta(), timedelta(minutes=10)),
        ("invited", timedelta(days=2, seconds=-1), timedelta(minutes=10)),
        ("invited", timedelta(days=2), timedelta(hours=1)),
        ("invited", timedelta(days=14, seconds=-1), timedelta(hours=1)),
        ("invited", timedelta(days=14), timedelta(hours=12)),
        ("in_progress", timedelta(), timedelta(minutes=10)),
        ("in_progress", timedelta(days=20), timedelta(minutes=10)),
        ("submitted", timedelta(), timedelta(minutes=200 / 60)),
        ("completed", timedelta(), timedelta(hours=24)),
        ("withdrawn", timedelta(), timedelta(hours=24)),
    ],
)
def test_the_poll_interval_follows_the_status_and_its_age(db, status, followed_for, longest):
    row = factories.InvitationFactory(status="invited", instance_id="instance-1")
    now = timezone.now()
    invitation = Invitation(status=status, followed_since=now - followed_for)
    assert schedule.poll_interval(invitation, now) == longest
    for _ in range(20):
        Invitation.objects.update(next_poll_at=schedule.next_poll(invitation, now))
        row.refresh_from_db()
        assert longest * 0.7 <= row.next_poll_at - timezone.now() <= longest


def test_a_poll_is_not_due_again_at_once_where_the_kept_reading_of_the_clock_is_old(
    codescreen_api, invitation, monkeypatch
):
    codescreen_api.get(f"{URL}/assessments/{INSTANCE}", json={"status": "Not_Started"})
    long_ago = timezone.now() - timedelta(days=2)
    monkeypatch.setattr(database, "now", lambda: long_ago)
    Invitation.objects.filter(pk=invitation.pk).update(next_poll_at=timezone.now() - timedelta(seconds=1))
    assert worker.work(5) == 1


def test_a_poll_whose_call_was_deferred_comes_soon_and_counts_no_failure(invitation, monkeypatch):
    def defer(*_):
        raise CallDeferred(4.0)

    monkeypatch.setattr(CodeScreenClient, "status", defer)
    Invitation.objects.filter(pk=invitation.pk).update(next_poll_at=timezone.now() - timedelta(seconds=1))
    (claimed,) = schedule.claim_polls(1)
    assert claimed is not None
    worker.poll_invitation(claimed)
    row = Invitation.objects.get(pk=invitation.pk)
    assert row.poll_failures == 0
    assert row.next_poll_at is not None
    assert timedelta(0) < row.next_poll_at - timezone.now() < timedelta(seconds=5)
