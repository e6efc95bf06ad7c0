"""Lever shows a new stage late, webhooks come in any order, or a candidate leaves while an older read is acted on."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.utils import timezone

from integrations.clients import provider
from integrations.http.steps import LATE_STAGE_WAITS
from integrations.inbox import sweep
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.queue import acts as queue_acts
from portal.devtools.sandbox.values import now_ms
from tests.support.scenario import STAGE, end_wait, verdict

BEFORE, LAG = "Phone screen", 60


@pytest.fixture
def move(scenario, sandbox):
    """Return what moves a candidate in Lever, whose reads lag, and stores the webhook's delivery."""
    sandbox.lever_does("settings", webhooks_enabled=False)

    def move(word="Alder", stage=STAGE, lag=LAG):
        left, opportunity_id = scenario.stage_of(word), sandbox.opportunity_id(word)
        sandbox.lever_does("settings", read_lag=lag)
        sandbox.lever_does("move", opportunities=[opportunity_id], stage=stage)
        data = {"fromStageId": sandbox.stage_id(left), "toStageId": sandbox.stage_id(stage)}
        data["opportunityId"] = opportunity_id
        payload = {"event": "candidateStageChange", "triggeredAt": now_ms(), "data": data}
        return scenario.deliver(word, stage, payload=payload)

    scenario.place(stage=BEFORE)
    for word in ("Alder", "Birch"):
        sandbox.set_entered_at(word, timezone.now() - timedelta(days=1))
    return move


def test_a_candidate_is_invited_by_the_webhook_when_lever_shows_the_stage_late(scenario, sandbox, move):
    delivery = move()
    for reads, wait in enumerate(LATE_STAGE_WAITS, start=1):
        scenario.work()
        assert verdict(delivery) == ""
        assert (delivery.late_reads, delivery.not_shown_reads) == (reads, 0)
        assert "new stage" in delivery.last_error
        assert timedelta() < delivery.due_at - timezone.now() <= wait
        end_wait()
    sandbox.lever_does("settings", read_lag=0)
    scenario.work()
    assert (verdict(delivery), delivery.late_reads, sandbox.invitations_sent()) == ("invite", 0, 1)
    assert not Delivery.objects.filter(event="sweep").exists()


def test_the_stage_from_before_is_believed_after_the_third_wait(scenario, sandbox, move):
    delivery = move()
    for _ in range(len(LATE_STAGE_WAITS) + 1):
        scenario.work()
        end_wait()
    assert (verdict(delivery), delivery.late_reads) == ("left_stage", 0)
    assert sandbox.invitations_sent() == 0


def test_who_was_moved_back_has_left_at_once(scenario, sandbox, move):
    delivery = move(lag=0)
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage=BEFORE)
    sandbox.set_entered_at("Alder", timezone.now() + timedelta(seconds=1))
    scenario.work()
    assert verdict(delivery) == "left_stage"


@pytest.fixture
def waiting_invitation(scenario, sandbox, move):
    """An invitation by a webhook, which waits after CodeScreen's 429, while Lever's reads lag again."""
    scenario.codescreen_fails(status=429)
    delivery = move(lag=0)
    scenario.work()
    assert verdict(delivery) == "invite"
    invitation = Invitation.objects.get()
    assert invitation.status == "pending"
    sandbox.lever_does("settings", read_lag=LAG)
    return invitation


def test_an_invitation_waits_when_a_second_read_shows_the_stage_from_before(
    scenario, sandbox, waiting_invitation
):
    for reads, wait in enumerate(LATE_STAGE_WAITS, start=1):
        scenario.work_waiting()
        invitation, effect = scenario.reread(waiting_invitation), scenario.latest_effect()
        assert (invitation.status, invitation.late_reads, effect.state) == ("pending", reads, "due")
        assert timedelta() < effect.due_at - timezone.now() <= wait
    sandbox.lever_does("settings", read_lag=0)
    scenario.work_waiting()
    invitation = scenario.reread(waiting_invitation)
    assert (invitation.status, invitation.late_reads, sandbox.invitations_sent()) == ("invited", 0, 1)


def test_a_candidate_who_leaves_during_the_sweep_is_not_invited(scenario, sandbox):
    scenario.move().delete()
    began = timezone.now() - timedelta(seconds=5)
    [listed] = queue_acts.opportunities(scenario.organization, 1, email="alder@candidates.example")
    scenario.enter(stage=BEFORE)
    assert sweep._repair(scenario.organization, listed, provider.ClientProvider(scenario.organization), began)
    scenario.work()
    assert (Invitation.objects.get().status, sandbox.invitations_sent()) == ("withdrawn", 0)


# webhooks out of order and repeated lead to the same state as a fresh read of Lever


#: The first and the last stage invite to the same assessment; the one between doesn't.
MOVES = ("CodeScreen Assessment", "On-site interview", "CodeScreen Take-home")


@pytest.mark.parametrize("order", [*permutations(range(3)), *permutations(range(2))])
def test_the_final_state_matches_lever_when_deliveries_arrive_in_any_order(scenario, sandbox, order):
    for stage in MOVES[: len(order)]:
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage=stage)
    for number in (*order, order[0]):  # the first one twice
        scenario.deliver(stage=MOVES[number])
        scenario.work()
    sent = int(len(order) == len(MOVES))
    assert list(Invitation.objects.values_list("status", flat=True)) == ["invited"] * sent
    assert sandbox.invitations_sent() == sent
    tags = [tag for tag in sandbox.opportunity("Alder")["tags"] if tag.startswith("CodeScreen:")]
    assert tags == ["CodeScreen: Candidate Invited"] * sent
    assert not Delivery.objects.filter(verdict="").exists()
