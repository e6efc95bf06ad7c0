"""Stage changes delivered out of order and repeatedly lead to the same state as a fresh read of Lever."""

from itertools import permutations

import pytest

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation

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
