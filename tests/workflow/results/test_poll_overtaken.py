"""Two workers ask about one candidate at once, or a webhook comes while one asks: what was true last stands."""

from datetime import timedelta

from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.payloads import Progress, WebhookHint
from integrations.http.errors import PlatformError
from integrations.models import Invitation, db_clock
from integrations.workflow.operations import invitations
from integrations.workflow.results import poll, webhook_hint
from integrations.workflow.results.poll import PollOutcome
from tests.clients.fakes import FakeClients


class Slow(CodeScreenClient):
    """A CodeScreen whose answer is on its way while something else happens."""

    def __init__(self, meanwhile, status):
        self.meanwhile, self.answer = meanwhile, Progress(status)

    def status(self, instance_id):
        self.meanwhile(instance_id)
        return self.answer


def test_an_answer_that_was_overtaken_changes_nothing_and_is_asked_for_again(box):
    invitation = box.invited()
    box.candidate_does("start")

    def complete(instance):
        box.candidate_does("submit", "evaluate", score=80)

    assert (
        poll.refresh_progress(box.reread(invitation), Slow(complete, "In_Progress")) is PollOutcome.OVERTAKEN
    )
    assert box.reread(invitation).status == "completed"
    assert Invitation.objects.due_for_poll().exists()
    box.ask()
    assert [result.attempt for result in invitation.results.all()] == [1]


def test_a_webhook_during_a_question_is_a_reason_to_ask_again(box):
    invitation = box.invited()

    def ring(instance):
        webhook_hint.apply_hint(box.organization, WebhookHint("assessment.evaluated", instance, ""))

    poll.refresh_progress(invitation, Slow(ring, "Not_Started"))
    assert Invitation.objects.due_for_poll().exists()
    box.ask()
    assert not Invitation.objects.due_for_poll().exists()


def test_who_is_followed_no_more_since_the_question_is_asked_about_no_more(box, super_admin):
    invitation = box.invited()

    def stop(instance):
        invitations.stop_following(invitation, super_admin)

    for status in ("Not_Started", "In_Progress"):
        poll.refresh_progress(invitation, Slow(stop, status))
        assert (box.reread(invitation).status, box.reread(invitation).next_poll_at) == ("withdrawn", None)
        Invitation.objects.update(status="invited", stopped_by_user=False)


def test_a_question_that_fails_is_not_asked_again_of_who_is_followed_no_more(box, super_admin):
    invitation = box.invited()

    def stop_and_fail(instance):
        invitations.stop_following(invitation, super_admin)
        raise PlatformError("CodeScreen answered 503", status=503)

    codescreen = Slow(stop_and_fail, "Not_Started")
    clients = FakeClients(box.organization, codescreen=codescreen)
    assert poll.poll(invitation, clients) is PollOutcome.POSTPONED
    Invitation.objects.filter(next_poll_at__isnull=False).update(next_poll_at=db_clock.now())
    assert not Invitation.objects.due_for_poll().exists()


def test_no_webhook_and_no_command_asks_about_who_is_followed_no_more(box, sandbox, super_admin):
    invitation = box.invited()
    invitations.stop_following(invitation, super_admin)
    box.candidate_does("start", "submit", "evaluate", score=80)
    assert (
        webhook_hint.apply_hint(
            box.organization, WebhookHint("candidate.evaluated", invitation.instance_id, "")
        )
        == invitation
    )
    assert not Invitation.objects.due_for_poll().exists()
    assert (box.reread(invitation).status, invitation.results.count()) == ("withdrawn", 0)
    box.reread(invitation).move("invited")  # as when the candidate enters the stage again
    box.ask()
    assert box.reread(invitation).status == "completed"


def test_clocks_that_differ_a_little_lose_no_webhook(box, monkeypatch):
    invitation = box.invited()
    ahead = db_clock.now() + timedelta(seconds=1)

    def ring(instance):
        webhook_hint.apply_hint(box.organization, WebhookHint("assessment.evaluated", instance, ""))

    monkeypatch.setattr(db_clock, "now", lambda: ahead)
    poll.refresh_progress(invitation, Slow(ring, "Not_Started"))
    assert Invitation.objects.due_for_poll().exists()
