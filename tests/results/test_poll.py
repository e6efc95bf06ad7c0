"""Poll CodeScreen about an invitation, by the clock or a webhook, and record the progress that it states."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients import provider
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.payloads import Progress, WebhookHint
from integrations.core.vocabulary import ProgressTag
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from integrations.results import poll, schedule
from integrations.results.poll import PollOutcome
from integrations.store import database
from tests.results.conftest import COMPLETE, INSTANCE, URL, progress_tags
from tests.support import factories


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


def test_a_crash_while_recording_postpones_only_this_invitation(poll_answer, monkeypatch):
    Invitation.objects.update(next_poll_at=timezone.now() - timedelta(seconds=1))
    assert schedule.claim_polls(1)
    monkeypatch.setattr(poll, "record_progress", lambda *_: 1 / 0)
    polled = poll_answer(COMPLETE)
    assert polled.status == "invited"
    assert polled.next_poll_at > timezone.now()


def test_the_instance_id_is_escaped_in_the_address(codescreen_api, invitation):
    Invitation.objects.update(instance_id="a/../b?c#d")
    invitation.refresh_from_db()
    codescreen_api.get(f"{URL}/assessments/a%2F..%2Fb%3Fc%23d", json={"status": "Not_Started"})
    assert isinstance(
        provider.codescreen_client(invitation.organization).status(invitation.instance_id), Progress
    )


# record the progress that CodeScreen reports


@pytest.mark.parametrize("status", ["Not_Started", "Completed", "x" * 500, None])
def test_nothing_changes_when_it_is_not_started_or_the_status_is_unknown(poll_answer, status):
    polled = poll_answer({"status": status, "score": 90, "metadata": {}})
    assert (polled.status, polled.raw_status) == ("invited", (status or "")[:100])
    assert polled.poll_failures == (status is None)
    assert timezone.now() < polled.next_poll_at < timezone.now() + timedelta(minutes=10)
    assert progress_tags() == []
    assert not Result.objects.exists()


def test_the_progress_tag_goes_back_when_the_assessment_is_reopened(poll_answer):
    poll_answer(COMPLETE)
    polled = poll_answer({"status": "In_Progress", "metadata": {"attempt": 2}})
    assert (polled.status, polled.completed_at) == ("in_progress", None)
    assert "again" in polled.status_reason
    polled = poll_answer(COMPLETE | {"score": 90, "metadata": {"result": "Passed", "attempt": 2}})
    assert polled.status == "completed"
    assert progress_tags() == [ProgressTag.COMPLETED, ProgressTag.IN_PROGRESS, ProgressTag.COMPLETED]
    assert Result.objects.count() == 2


def test_an_assessment_ends_as_expired_and_begins_anew_when_codescreen_resends_it(poll_answer):
    polled = poll_answer({"status": "Expired", "metadata": {}})
    assert polled.status == "completed"
    result = Result.objects.get()
    assert (result.outcome, result.score, result.rating) == ("Expired", None, None)
    assert progress_tags() == [ProgressTag.EXPIRED]
    polled = poll_answer({"status": "Not_Started", "metadata": {"attempt": 2}})
    assert (polled.status, polled.started_at, polled.completed_at) == ("invited", None, None)
    assert progress_tags() == [ProgressTag.EXPIRED, ProgressTag.INVITED]


# something changes the invitation while it is polled: the latest state wins


class CodeScreenWithEvent(CodeScreenClient):
    """A CodeScreen client that runs something during the call, before it answers."""

    def __init__(self, during_call, status):
        self.during_call, self.answer = during_call, Progress(status)

    def status(self, instance_id):
        self.during_call(instance_id)
        return self.answer


def test_an_overtaken_answer_changes_nothing_and_the_invitation_is_polled_again(scenario):
    invitation = scenario.sent_invitation()
    scenario.candidate_does("start")

    def complete(instance):
        scenario.candidate_does("submit", "evaluate", score=80)

    assert (
        poll.refresh_progress(scenario.reread(invitation), CodeScreenWithEvent(complete, "In_Progress"))
        is PollOutcome.OVERTAKEN
    )
    assert scenario.reread(invitation).status == "completed"
    assert Invitation.objects.due_for_poll().exists()
    scenario.poll()
    assert [result.attempt for result in invitation.results.all()] == [1]


def test_an_invitation_is_not_polled_again_when_a_person_stops_it_during_a_poll(scenario, super_admin):
    invitation = scenario.sent_invitation()

    def stop(instance):
        invitations.cancel(invitation, super_admin)

    for status in ("Not_Started", "In_Progress"):
        poll.refresh_progress(invitation, CodeScreenWithEvent(stop, status))
        assert (scenario.reread(invitation).status, scenario.reread(invitation).next_poll_at) == (
            "withdrawn",
            None,
        )
        Invitation.objects.update(status="invited", stopped_by_user=False)


def test_a_stopped_invitation_is_polled_neither_by_webhook_nor_by_command(scenario, super_admin):
    invitation = scenario.sent_invitation()
    invitations.cancel(invitation, super_admin)
    scenario.evaluate(score=80)
    assert (
        poll.apply_hint(scenario.organization, WebhookHint("candidate.evaluated", invitation.instance_id))
        == invitation
    )
    assert not Invitation.objects.due_for_poll().exists()
    assert (scenario.reread(invitation).status, invitation.results.count()) == ("withdrawn", 0)
    scenario.reread(invitation).move("invited")  # as when the candidate enters the stage again
    scenario.poll()
    assert scenario.reread(invitation).status == "completed"


def test_a_webhook_during_a_poll_is_kept_when_clocks_differ(scenario, monkeypatch):
    invitation = scenario.sent_invitation()
    ahead = database.now() + timedelta(seconds=1)

    def receive_webhook(instance):
        poll.apply_hint(scenario.organization, WebhookHint("assessment.evaluated", instance))

    with monkeypatch.context() as patch:
        patch.setattr(database, "now", lambda: ahead)
        poll.refresh_progress(invitation, CodeScreenWithEvent(receive_webhook, "Not_Started"))
    assert Invitation.objects.due_for_poll().exists()
    scenario.poll()
    assert not Invitation.objects.due_for_poll().exists()


# a CodeScreen webhook makes an invitation due for a poll and confirms uncertain invitations


def receive_webhook(invitation, kind="candidate.evaluated", instance=INSTANCE):
    """Apply a CodeScreen webhook and return the invitation it is about, None when unknown."""
    return poll.apply_hint(invitation.organization, WebhookHint(kind, instance))


def test_a_submission_webhook_before_the_start_sets_the_submitted_status_and_one_tag(invitation, poll_answer):
    for _ in range(2):
        receive_webhook(invitation, "candidate.submitted")
        invitation.refresh_from_db()
        assert (invitation.status, progress_tags()) == ("submitted", [ProgressTag.IN_PROGRESS])
        poll_answer({"status": "In_Progress", "metadata": {}})
    assert poll_answer({"status": "In_Progress", "metadata": {}}).status == "submitted"
    assert poll_answer(COMPLETE).status == "completed"


def test_a_bounce_is_told_once_in_lever(invitation):
    for _ in range(2):
        receive_webhook(invitation, "candidate.email_bounced")
    [note] = Effect.objects.filter(kind="leave_note")
    assert "bounced: it couldn't be delivered. Correct the address in Lever" in note.payload["text"]
    assert invitation.email not in note.payload["text"]


def test_a_webhook_that_comes_before_the_answer_to_the_sending_is_of_that_invitation(scenario, monkeypatch):
    send = CodeScreenClient.send

    def send_and_report(*who):
        data = {"assessmentInstanceId": send(*who)}
        payload = {"type": "candidate.invited", "data": data}
        factories.DeliveryFactory(
            organization=scenario.organization, platform="codescreen", opportunity_id="", payload=payload
        )
        worker.decide(factories.claimed(Delivery, "me"))
        return data["assessmentInstanceId"]

    monkeypatch.setattr(CodeScreenClient, "send", send_and_report)
    invitation = scenario.sent_invitation()
    Delivery.objects.filter(verdict="").update(due_at=timezone.now() - timedelta(seconds=1))
    scenario.work()
    noted = Delivery.objects.get(platform="codescreen")
    assert (noted.invitation, noted.opportunity_id) == (invitation, invitation.opportunity_id)
    assert noted.explanation == "CodeScreen reports: the invitation was sent."


def test_a_webhook_about_an_unknown_instance_is_ignored(invitation, stranger):
    other = stranger.memberships.get().organization
    assert poll.apply_hint(other, WebhookHint("candidate.evaluated", INSTANCE)) is None
    assert receive_webhook(invitation, instance="unknown") is None
    assert receive_webhook(invitation, instance="") is None
