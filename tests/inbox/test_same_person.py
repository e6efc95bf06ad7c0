"""The same person enters the stage through another opportunity: what they have already counts, over or not."""

import pytest

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.models.email_kind import timeline_link
from integrations.outbox.models.effect import Effect
from tests.support import duty_runs
from tests.support.scenario import verdict

FIRST, SECOND = "Tamarack", "Tamarack again"
PERSON = "tamarack@candidates.example"


@pytest.fixture
def enter_both(scenario, sandbox):
    """Return what moves the person into the stage through the second opportunity, and returns the delivery.

    The person is invited through the first one before.
    """
    sandbox.lever_does("settings", webhooks_enabled=False)
    scenario.set_policies(default_assessment="Backend")
    scenario.enter(FIRST)
    assert sandbox.invitations_sent(PERSON) == 1

    def enter(**changes):
        for tag in sandbox.opportunity(SECOND)["tags"]:
            sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id(SECOND)], remove=[tag])
        delivery = scenario.enter(SECOND, **changes)
        return verdict(delivery)

    return enter


def test_a_person_who_completed_elsewhere_is_not_invited_again(scenario, sandbox, enter_both):
    scenario.evaluate(word=FIRST, score=80)
    assert Invitation.objects.get().status == "completed"
    assert enter_both() == "invited_elsewhere"
    assert sandbox.invitations_sent(PERSON) == 1
    note = Effect.objects.get(kind="leave_note").payload["text"]
    assert (
        f"page of that other opportunity. That page: {timeline_link(sandbox.opportunity_id(FIRST))}\n" in note
    )


def test_the_sweep_takes_a_person_invited_elsewhere_for_told_though_that_invitation_was_withdrawn(
    scenario, sandbox, enter_both
):
    scenario.enter(FIRST, "Phone screen")
    assert enter_both() == "invited_elsewhere"
    assert Invitation.objects.get().status == "withdrawn"
    assert sandbox.invitations_sent(PERSON) == 1
    duty_runs.sweep_whole(scenario.organization)
    assert not Delivery.objects.filter(event="sweep").exists()
