"""Poll one invitation: what is returned, and when it is polled again after a failure."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients import provider
from integrations.clients.models import ApiCall
from integrations.codescreen.payloads import Progress
from integrations.invitations.models.invitation import Invitation
from integrations.results import poll, schedule
from integrations.results.poll import PollOutcome
from tests.results.conftest import COMPLETE, INSTANCE, URL


@pytest.mark.parametrize("answer", [[], "text", None, 5])
def test_an_invitation_is_polled_again_when_the_answer_is_no_status(poll_answer, answer):
    polled = poll_answer(answer)
    assert (polled.status, polled.poll_failures) == ("invited", 1)
    assert polled.next_poll_at > timezone.now()


@pytest.mark.parametrize("status", [503, 404, 401])
def test_a_failing_poll_is_postponed_longer_each_time(poll_answer, status):
    waits = []
    for _ in range(3):
        polled = poll_answer({}, status=status)
        waits.append(polled.next_poll_at - timezone.now())
    assert polled.status == "invited"
    if status != 401:  # a refused key makes everything wait
        assert polled.poll_failures == 3
        assert waits == sorted(waits)
    assert poll_answer({"status": "Not_Started", "metadata": {}}).status == "invited"


def test_a_poll_is_postponed_as_long_as_codescreen_asks_for(poll_answer):
    polled = poll_answer({}, status=429, headers={"Retry-After": "1800"})
    assert timedelta(minutes=29) < polled.next_poll_at - timezone.now() < timedelta(minutes=31)


def test_a_crash_while_recording_postpones_only_this_invitation(poll_answer, monkeypatch, invitation):
    Invitation.objects.update(next_poll_at=timezone.now() - timedelta(seconds=1))
    assert schedule.claim_polls(1)
    monkeypatch.setattr(poll, "record_progress", lambda *_: 1 / 0)
    polled = poll_answer(COMPLETE)
    assert polled.status == "invited"
    assert polled.next_poll_at > timezone.now()


def test_a_poll_returns_whether_anything_changed(codescreen_api, invitation):
    codescreen_api.get(f"{URL}/assessments/{INSTANCE}", json={"status": "In_Progress", "metadata": {}})
    codescreen = provider.codescreen_client(invitation.organization)
    assert poll.refresh_progress(invitation, codescreen) is PollOutcome.CHANGED
    assert poll.refresh_progress(invitation, codescreen) is PollOutcome.UNCHANGED


def test_an_unchanged_poll_is_counted_on_the_first_such_call(poll_answer):
    for _ in range(3):
        poll_answer({"status": "Not_Started", "metadata": {}})
    call = ApiCall.objects.get()
    assert (call.repeats, call.status) == (2, 200)
    assert call.last_at is not None
    poll_answer({"status": "In_Progress", "metadata": {}})
    assert ApiCall.objects.count() == 2


def test_the_instance_id_is_escaped_in_the_address(codescreen_api, invitation):
    Invitation.objects.update(instance_id="a/../b?c#d")
    invitation.refresh_from_db()
    codescreen_api.get(f"{URL}/assessments/a%2F..%2Fb%3Fc%23d", json={"status": "Not_Started"})
    assert isinstance(
        provider.codescreen_client(invitation.organization).status(invitation.instance_id), Progress
    )
