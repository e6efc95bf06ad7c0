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


def test_an_answer_that_was_overtaken_changes_nothing_and_is_asked_for_again(scenario):
    invitation = scenario.sent_invitation()
    scenario.candidate_does("start")

    def complete(instance):
        scenario.candidate_does("submit", "evaluate", score=80)

    assert (
        poll.refresh_progress(scenario.reread(invitation), Slow(complete, "In_Progress"))
        is PollOutcome.OVERTAKEN
    )
    assert scenario.reread(invitation).status == "completed"
    assert Invitation.objects.due_for_poll().exists()
    scenario.poll()
    assert [result.attempt for result in invitation.results.all()] == [1]


def test_a_webhook_during_a_question_is_a_reason_to_ask_again(scenario):
    invitation = scenario.sent_invitation()

    def ring(instance):
        webhook_hint.apply_hint(scenario.organization, WebhookHint("assessment.evaluated", instance, ""))

    poll.refresh_progress(invitation, Slow(ring, "Not_Started"))
    assert Invitation.objects.due_for_poll().exists()
    scenario.poll()
    assert not Invitation.objects.due_for_poll().exists()


def test_who_is_followed_no_more_since_the_question_is_asked_about_no_more(scenario, super_admin):
    invitation = scenario.sent_invitation()

    def stop(instance):
        invitations.stop_following(invitation, super_admin)

    for status in ("Not_Started", "In_Progress"):
        poll.refresh_progress(invitation, Slow(stop, status))
        assert (scenario.reread(invitation).status, scenario.reread(invitation).next_poll_at) == (
            "withdrawn",
            None,
        )
        Invitation.objects.update(status="invited", stopped_by_user=False)


def test_a_question_that_fails_is_not_asked_again_of_who_is_followed_no_more(scenario, super_admin):
    invitation = scenario.sent_invitation()

    def stop_and_fail(instance):
        invitations.stop_following(invitation, super_admin)
        raise PlatformError("CodeScreen answered 503", status=503)

    codescreen = Slow(stop_and_fail, "Not_Started")
    clients = FakeClients(scenario.organization, codescreen=codescreen)
    assert poll.poll(invitation, clients) is PollOutcome.POSTPONED
    Invitation.objects.filter(next_poll_at__isnull=False).update(next_poll_at=db_clock.now())
    assert not Invitation.objects.due_for_poll().exists()


def test_no_webhook_and_no_command_asks_about_who_is_followed_no_more(scenario, sandbox, super_admin):
    invitation = scenario.sent_invitation()
    invitations.stop_following(invitation, super_admin)
    scenario.candidate_does("start", "submit", "evaluate", score=80)
    assert (
        webhook_hint.apply_hint(
            scenario.organization, WebhookHint("candidate.evaluated", invitation.instance_id, "")
        )
        == invitation
    )
    assert not Invitation.objects.due_for_poll().exists()
    assert (scenario.reread(invitation).status, invitation.results.count()) == ("withdrawn", 0)
    scenario.reread(invitation).move("invited")  # as when the candidate enters the stage again
    scenario.poll()
    assert scenario.reread(invitation).status == "completed"


def test_clocks_that_differ_a_little_lose_no_webhook(scenario, monkeypatch):
    invitation = scenario.sent_invitation()
    ahead = db_clock.now() + timedelta(seconds=1)

    def ring(instance):
        webhook_hint.apply_hint(scenario.organization, WebhookHint("assessment.evaluated", instance, ""))

    monkeypatch.setattr(db_clock, "now", lambda: ahead)
    poll.refresh_progress(invitation, Slow(ring, "Not_Started"))
    assert Invitation.objects.due_for_poll().exists()
