"""A mapping's own rules in place of the organization's: approval, coming back, origins."""

from dataclasses import replace

import pytest

from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules.decide import decide
from integrations.core.rules.mappings import MappingIndex, MappingRule, SendingRules
from integrations.core.vocabulary import Approval, Origin, OriginRule, ReentryPolicy, ResultOutcome
from tests.core.rules.examples import BACKEND, FACTS, existing_invitation, with_candidate


def under(own: SendingRules, facts=FACTS):
    """Return facts whose mapping has these rules of its own."""
    return replace(
        facts, mappings=MappingIndex([MappingRule("Backend Engineer", "", "Backend", own=own, id=5)])
    )


@pytest.mark.parametrize(
    ("approval", "recently", "expected"),
    [
        (None, 0, "invite"),
        (None, 50, "held_for_approval"),
        (Approval.ABOVE_LIMIT, 49, "invite"),
        (Approval.ABOVE_LIMIT, 50, "held_for_approval"),
        (Approval.NEVER, 50, "invite"),
        (Approval.ALWAYS, 0, "held_for_approval"),
    ],
)
def test_the_mapping_says_when_an_approval_is_needed(approval, recently, expected):
    decision = decide(replace(under(SendingRules(approval=approval)), recently_invited=recently))
    assert (decision.verdict, decision.mapping_id) == (expected, 5)


def test_the_mapping_is_named_when_it_asks_for_an_approval():
    explanation = decide(under(SendingRules(approval=Approval.ALWAYS))).explanation
    assert explanation == "Waits for approval: invitations for this role are approved each time."


def test_nobody_approves_twice_when_a_person_chose_the_assessment():
    facts = replace(under(SendingRules(approval=Approval.ALWAYS)), chosen_assessment=BACKEND.id)
    decision = decide(facts)
    assert (decision.verdict, decision.mapping_id) == ("invite", 5)


def test_a_choice_of_another_assessment_leaves_the_mapping_out():
    facts = replace(under(SendingRules(approval=Approval.NEVER)), chosen_assessment="id-frontend")
    assert decide(facts).mapping_id is None


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (SendingRules(), "already_invited"),
        (SendingRules(reentry=ReentryPolicy.AFTER_EXPIRY), "invite"),
        (SendingRules(reentry=ReentryPolicy.AFTER_DAYS, reentry_days=10), "invite"),
        (SendingRules(reentry=ReentryPolicy.AFTER_DAYS, reentry_days=30), "already_invited"),
        (SendingRules(reentry=ReentryPolicy.AFTER_DAYS), "already_invited"),  # the organization's 180 days
    ],
)
def test_the_mapping_says_when_somebody_may_come_back(own, expected):
    expired = replace(
        existing_invitation(InvitationStatus.COMPLETED),
        outcome=ResultOutcome.EXPIRED,
        days_since_completion=20,
        was_reentered=True,
    )
    assert decide(replace(under(own), invitations_here=(expired,))).verdict == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (frozenset(), "origin_excluded"),
        (frozenset({(Origin.AGENCY, OriginRule.SEND)}), "invite"),
        (frozenset({(Origin.AGENCY, OriginRule.HOLD)}), "held_for_approval"),
        (frozenset({(Origin.REFERRED, OriginRule.HOLD)}), "origin_excluded"),
    ],
)
def test_the_mapping_says_what_happens_by_origin(own, expected):
    facts = under(SendingRules(origins=own), with_candidate(origin=Origin.AGENCY))
    assert decide(replace(facts, origins={"agency": "skip"})).verdict == expected
