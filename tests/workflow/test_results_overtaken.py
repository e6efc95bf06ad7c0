"""Two workers ask about one candidate at once, or a webhook comes while one asks: what was true last stands."""

from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.payloads import Hint, Progress
from integrations.models import Invitation
from integrations.workflow import results


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

    assert results.collect(box.reread(invitation), Slow(complete, "In_Progress")) is False
    assert box.reread(invitation).status == "completed"
    assert Invitation.objects.due_for_poll().exists()
    box.ask()
    assert [result.attempt for result in invitation.results.all()] == [1]


def test_a_webhook_during_a_question_is_a_reason_to_ask_again(box):
    invitation = box.invited()

    def ring(instance):
        results.hear(box.organization, Hint("assessment.evaluated", instance, ""))

    results.collect(invitation, Slow(ring, "Not_Started"))
    assert Invitation.objects.due_for_poll().exists()
    box.ask()
    assert not Invitation.objects.due_for_poll().exists()
