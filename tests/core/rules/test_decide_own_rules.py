"""A mapping's own rule on when an invitation is approved."""

from dataclasses import replace

import pytest

from integrations.core.rules.decide import decide
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.vocabulary import Approval
from tests.core.rules.examples import BACKEND, FACTS


def under(approval: Approval):
    """Return facts whose mapping has this rule of its own."""
    mapping = MappingRule("Backend Engineer", "", "Backend", approval=approval, id=5)
    return replace(FACTS, mappings=MappingIndex([mapping]))


@pytest.mark.parametrize(
    ("approval", "recently", "expected"),
    [
        (Approval.ABOVE_LIMIT, 49, "invite"),
        (Approval.ABOVE_LIMIT, 50, "held_for_approval"),
        (Approval.NEVER, 50, "invite"),
        (Approval.ALWAYS, 0, "held_for_approval"),
    ],
)
def test_the_mapping_says_when_an_approval_is_needed(approval, recently, expected):
    decision = decide(replace(under(approval), recently_invited=recently))
    assert (decision.verdict, decision.mapping_id) == (expected, 5)


def test_the_mapping_is_named_when_it_asks_for_an_approval():
    explanation = decide(under(Approval.ALWAYS)).explanation
    assert explanation == "Waits for approval: invitations for this role are approved each time."


def test_nobody_approves_twice_when_a_person_chose_the_assessment():
    facts = replace(under(Approval.ALWAYS), chosen_assessment=BACKEND.id)
    decision = decide(facts)
    assert (decision.verdict, decision.mapping_id) == ("invite", 5)


def test_a_choice_of_another_assessment_leaves_the_mapping_out():
    facts = replace(under(Approval.NEVER), chosen_assessment="id-frontend")
    assert decide(facts).mapping_id is None
