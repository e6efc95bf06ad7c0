"""Something changes the invitation while it is polled: the latest state wins."""

from datetime import timedelta

from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.payloads import Progress, WebhookHint
from integrations.http.session import PlatformError
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.results import poll
from integrations.results.poll import PollOutcome
from integrations.store import database
from tests.clients.fakes import FakeClients


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


def test_an_invitation_is_not_polled_again_when_it_is_stopped_during_a_failing_poll(scenario, super_admin):
    invitation = scenario.sent_invitation()

    def stop_and_fail(instance):
        invitations.cancel(invitation, super_admin)
        raise PlatformError("CodeScreen answered 503", status=503)

    codescreen = CodeScreenWithEvent(stop_and_fail, "Not_Started")
    clients = FakeClients(scenario.organization, codescreen=codescreen)
    assert poll.poll(invitation, clients) is PollOutcome.POSTPONED
    Invitation.objects.filter(next_poll_at__isnull=False).update(next_poll_at=database.now())
    assert not Invitation.objects.due_for_poll().exists()


def test_a_stopped_invitation_is_polled_neither_by_webhook_nor_by_command(scenario, sandbox, super_admin):
    invitation = scenario.sent_invitation()
    invitations.cancel(invitation, super_admin)
    scenario.candidate_does("start", "submit", "evaluate", score=80)
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
