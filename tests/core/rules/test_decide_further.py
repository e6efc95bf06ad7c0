"""A mapping's further assessments: those that it sends together with the first, and the one that follows a pass."""

from dataclasses import replace

import pytest

from integrations.core.rules.decide import decide
from integrations.core.rules.facts import Next, Together
from integrations.core.rules.mappings import MappingIndex, MappingRule, SendingRules
from integrations.core.vocabulary import Approval, DeliveryEvent
from tests.core.rules.examples import BACKEND, FACTS, FRONTEND, existing_invitation, with_candidate

RULE = MappingRule(
    "Backend Engineer",
    "",
    "Backend",
    id=5,
    also=("Frontend Developer",),
    next_assessment="Frontend Developer",
)


def rule(**changes):
    return replace(RULE, **changes)


def facts_of(further, mapping=None, **changes):
    """Return the facts of a delivery about a further assessment."""
    event = DeliveryEvent.TOGETHER if isinstance(further, Together) else DeliveryEvent.NEXT
    index = MappingIndex([mapping or rule()])
    return replace(FACTS, event=event, further=further, mappings=index, **changes)


TOGETHER = Together("Frontend Developer")
NEXT = Next("Backend", 5, is_passed=True)


@pytest.mark.parametrize(("further", "source"), [(TOGETHER, "together"), (NEXT, "next")])
def test_a_further_assessment_is_sent_by_the_mapping(further, source):
    decision = decide(facts_of(further))
    assert (decision.verdict, decision.assessment, decision.assessment_source, decision.mapping_id) == (
        "invite",
        FRONTEND,
        source,
        5,
    )


@pytest.mark.parametrize("further", [TOGETHER, NEXT])
@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"is_archived": True}, "archived"),
        ({"may_contact": False}, "contact_not_allowed"),
        ({"emails": ()}, "no_email"),
        ({"stage_id": "stage-2"}, "left_stage"),
    ],
)
def test_a_further_assessment_is_checked_like_any_other(further, change, verdict):
    assert decide(with_candidate(facts_of(further), **change)).verdict == verdict


@pytest.mark.parametrize("further", [TOGETHER, NEXT])
def test_nobody_gets_a_further_assessment_twice(further):
    had = existing_invitation(assessment=FRONTEND.id)
    assert decide(facts_of(further, invitations_here=(had,))).verdict == "already_invited"
    elsewhere = decide(facts_of(further, invitations_elsewhere=(had,)))
    assert elsewhere.verdict == "invited_elsewhere"
    assert "set the tag and the stage here in Lever yourself" in elsewhere.explanation


@pytest.mark.parametrize("further", [TOGETHER, NEXT])
def test_a_further_assessment_is_held_by_the_rules_of_the_mapping(further):
    always = rule(own=SendingRules(approval=Approval.ALWAYS))
    assert decide(facts_of(further, always)).verdict == "held_for_approval"


@pytest.mark.parametrize(
    ("further", "mapping", "reason"),
    [
        (TOGETHER, rule(also=()), "no longer sends “Frontend Developer” together"),
        (NEXT, rule(next_assessment=""), "or no longer has a next assessment"),
        (NEXT, rule(id=6), "The mapping of “Backend” was deleted"),
        (replace(NEXT, mapping_id=None), rule(id=None), "The mapping of “Backend” was deleted"),
        (replace(NEXT, is_passed=False), rule(), "“Backend” is no longer passed"),
    ],
)
def test_nothing_follows_when_the_mapping_or_the_result_has_changed(further, mapping, reason):
    decision = decide(facts_of(further, mapping))
    assert decision.verdict == "nothing_follows"
    assert reason in decision.explanation


def test_nothing_follows_when_another_mapping_holds_for_the_candidate_by_now():
    for_stage = MappingRule("Backend Engineer", "stage-1", "Backend", id=6)
    facts = replace(facts_of(TOGETHER), mappings=MappingIndex([rule(), for_stage]))
    assert decide(facts).verdict == "nothing_follows"


def test_a_choice_of_a_further_assessment_follows_the_rules_of_its_mapping():
    facts = replace(FACTS, mappings=MappingIndex([rule()]), chosen_assessment=FRONTEND.id)
    assert decide(facts).mapping_id == 5


def test_an_event_of_the_portal_is_ignored_without_an_invitation_behind_it():
    assert decide(replace(FACTS, event=DeliveryEvent.NEXT)).verdict == "ignored_event"


def test_the_first_of_several_is_decided_about_alone():
    assert decide(replace(FACTS, mappings=MappingIndex([rule()]))).assessment == BACKEND
