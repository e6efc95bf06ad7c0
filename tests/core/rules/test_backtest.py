"""Past decisions are made again by what was known then; the bulk limit counts what the tried rules would have sent."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules.backtest import PastDecision, Rules, Unknown, beside, decide_again
from integrations.core.rules.decide import decide
from integrations.core.rules.extra_time import ExtraTimeRule
from integrations.core.rules.facts import NoCandidate
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.rules.names import KnownAssessment
from integrations.core.rules.past_facts import read_facts, stored_facts
from integrations.core.vocabulary import ReentryPolicy, ResultOutcome
from tests.core.rules.examples import BACKEND, FACTS, FRONTEND, existing_invitation, with_candidate
from tests.core.rules.test_decide import HOLDS

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
IN_FORCE = Rules(
    stage_prefix=FACTS.stage_prefix,
    mappings=FACTS.mappings,
    default_assessment="",
    reentry=ReentryPolicy.NOTHING,
    reentry_days=180,
    bulk_limit=50,
    bulk_window=10,
    assessments=(BACKEND, FRONTEND),
)


def past(facts=FACTS, minutes=0):
    """Return a decision that was made by these facts, so many minutes past noon, as it is stored."""
    decision = decide(facts)
    kept = json.loads(json.dumps(stored_facts(facts, decision)))
    time = NOON + timedelta(minutes=minutes)
    return PastDecision("opportunity-1", time, decision.verdict, read_facts(kept, facts.event))


def again(decisions, **rules):
    """Return what each would be under the rules in force with these changes."""
    return list(decide_again(decisions, replace(IN_FORCE, **rules)))


def only(facts, **rules):
    [one] = again([past(facts)], **rules)
    return one


def mapped(*rules):
    return MappingIndex(MappingRule(*rule) for rule in rules)


#: These verdicts are given under other rules than those in force.
OTHER_RULES = ("no_assessment", "unknown_assessment", "ambiguous_assessment")


@pytest.mark.parametrize("code", HOLDS)
def test_nothing_differs_under_the_rules_that_the_verdict_was_given_by(code):
    facts = HOLDS[code](FACTS)
    one = only(facts, mappings=facts.mappings, origins=facts.origins)
    assert (one.differs, one.now.code, one.then.code) == (False, code, code)


@pytest.mark.parametrize("code", OTHER_RULES)
def test_a_mapping_would_invite_those_without_an_assessment_or_with_a_wrong_name(code):
    one = only(HOLDS[code](FACTS))
    assert one.differs
    assert one.now == ("invite", BACKEND)


def test_another_assessment_differs_although_the_verdict_is_the_same():
    one = only(FACTS, mappings=mapped(("Backend Engineer", "", "Frontend Developer")))
    assert (one.differs, one.then, one.now) == (True, ("invite", BACKEND), ("invite", FRONTEND))


def test_the_default_is_sent_where_no_assessment_was_named():
    one = only(
        HOLDS["no_assessment"](FACTS), mappings=MappingIndex(), default_assessment="frontend developer"
    )
    assert one.now == ("invite", FRONTEND)


def test_a_stage_without_the_new_prefix_no_longer_leads_to_an_invitation():
    assert only(FACTS, stage_prefix="Test").now.code == "not_a_trigger_stage"


# extra time

BY_TAG, BY_ANOTHER = ExtraTimeRule("Accommodation"), ExtraTimeRule("Extra time")


@pytest.mark.parametrize("needs", [True, False])
@pytest.mark.parametrize("tried", [None, BY_TAG], ids=["the same", "the rule of then"])
def test_who_needed_extra_time_then_still_does_by_the_same_rule(needs, tried):
    one = only(with_candidate(replace(FACTS, extra_time=BY_TAG), needs_extra_time=needs), extra_time=tried)
    assert (one.differs, one.now.code) == (False, "held_for_approval" if needs else "invite")


@pytest.mark.parametrize("facts", [FACTS, replace(FACTS, extra_time=BY_ANOTHER)])
@pytest.mark.parametrize("needs", [True, False])
def test_it_is_not_guessed_whether_another_rule_would_have_applied(facts, needs):
    one = only(with_candidate(facts, needs_extra_time=needs), extra_time=BY_TAG)
    assert (one.now, one.is_decided) == (Unknown.NO_FACTS, False)
    held = only(replace(facts, recently_invited=50), extra_time=BY_TAG)
    assert held.now.code == "held_for_approval"
    chosen = replace(with_candidate(facts, needs_extra_time=needs), chosen_assessment=FRONTEND.id)
    assert only(chosen, extra_time=BY_TAG).now == ("invite", FRONTEND)


def test_nobody_waits_for_extra_time_once_the_rule_is_taken_away():
    facts = with_candidate(replace(FACTS, extra_time=BY_TAG), needs_extra_time=True)
    assert only(facts, extra_time=ExtraTimeRule()).now == ("invite", BACKEND)


# the list of assessments


def test_what_the_names_meant_then_holds_although_the_list_has_changed():
    renamed = (KnownAssessment(BACKEND.id, "Backend (2027)"), KnownAssessment("id-new", "Backend"))
    assert not only(FACTS, assessments=renamed).differs
    assert not only(FACTS, assessments=()).differs
    unknown = with_candidate(replace(FACTS, mappings=MappingIndex()), tags=("CodeScreen Data",))
    now_listed = (KnownAssessment("id-data", "Data"),)
    assert not only(unknown, mappings=MappingIndex(), assessments=now_listed).differs


def test_a_name_that_was_not_looked_up_then_is_looked_up_in_todays_list():
    data = KnownAssessment("id-data", "Data")
    rules = mapped(("Backend Engineer", "", "data"))
    assert only(FACTS, mappings=rules).now.code == "unknown_assessment"
    assert only(FACTS, mappings=rules, assessments=(data,)).now == ("invite", data)
    both = (data, KnownAssessment("id-data-2", "DATA"))
    assert only(FACTS, mappings=rules, assessments=both).now.code == "ambiguous_assessment"


# what wasn't asked then


def test_it_is_not_guessed_what_lever_would_have_shown():
    unread = replace(FACTS, stage_name="Phone screen", candidate=NoCandidate.UNREAD)
    one = only(unread, stage_prefix="Phone")
    assert (one.now, one.differs, one.is_decided) == (Unknown.NOT_READ, True, True)
    by_mapping = only(unread, mappings=mapped(("Backend Engineer", "Phone screen", "Backend")))
    assert by_mapping.now is Unknown.NOT_READ
    read = replace(FACTS, stage_name="Phone screen")  # it may have had an invitation
    assert only(read, stage_prefix="Phone").now == ("invite", BACKEND)


def test_a_pause_stays_as_it_was_unless_it_is_changed():
    paused = HOLDS["paused"](FACTS)
    assert not any(one.differs for one in again([past(), past(paused)]))
    assert [one.now for one in again([past(), past(paused)], paused=True)] == [("paused", None)] * 2
    assert [one.now for one in again([past(), past(paused)], paused=False)] == [
        ("invite", BACKEND),
        Unknown.NOT_READ,
    ]


def test_a_delivery_without_facts_is_not_decided():
    [one] = again([replace(past(), facts=None)], stage_prefix="Test")
    assert (one.now, one.is_decided, one.differs) == (Unknown.NO_FACTS, False, False)


# re-entry and the bulk limit


def test_another_reentry_policy_starts_a_new_round():
    expired = replace(
        existing_invitation(InvitationStatus.COMPLETED),
        was_reentered=True,
        outcome=ResultOutcome.EXPIRED,
        days_since_completion=30.5,
    )
    facts = replace(FACTS, invitations_here=(expired,))
    assert only(facts).now.code == "already_invited"
    assert only(facts, reentry=ReentryPolicy.AFTER_EXPIRY).now.code == "invite"
    assert only(facts, reentry=ReentryPolicy.AFTER_DAYS, reentry_days=30).now.code == "invite"
    assert only(facts, reentry=ReentryPolicy.AFTER_DAYS, reentry_days=31).now.code == "already_invited"


def bulk_move(count, limit, counted_before=0, **changes):
    """Return so many decisions within a window, by a limit; `counted_before` went out by other means."""
    decisions, sent = [], counted_before
    for _ in range(count):
        facts = replace(FACTS, bulk_limit=limit, recently_invited=sent if limit else 0, **changes)
        decisions.append(past(facts))
        sent += decisions[-1].verdict == "invite"
    return decisions


def codes(results):
    return "".join({"invite": "i", "held_for_approval": "h"}[one.now.code] for one in results)


def test_the_count_that_was_stored_holds_under_the_same_limit():
    results = again(bulk_move(6, limit=4, counted_before=2), bulk_limit=4)
    assert codes(results) == "iihhhh"
    assert not any(one.differs for one in results)


@pytest.mark.parametrize(("limit", "expected"), [(3, "ihhhhh"), (6, "iiiihh"), (8, "iiiiii"), (0, "iiiiii")])
def test_another_limit_counts_what_it_would_have_sent_and_what_people_sent(limit, expected):
    assert codes(again(bulk_move(6, limit=4, counted_before=2), bulk_limit=limit)) == expected


def test_a_limit_where_there_was_none_counts_from_the_decisions_before():
    assert codes(again(bulk_move(4, limit=0), bulk_limit=2)) == "iihh"


def test_another_window_counts_what_would_have_been_sent_within_it():
    hourly = [past(replace(FACTS, bulk_limit=2, bulk_window=10), minutes=20 * number) for number in range(6)]
    assert codes(again(hourly, bulk_limit=2, bulk_window=10)) == "iiiiii"
    assert codes(again(hourly, bulk_limit=2, bulk_window=50)) == "iihiih"


def test_invitations_before_the_first_decision_count_too():
    before = [NOON - timedelta(minutes=minutes) for minutes in (11, 9, 8)]
    rules = replace(IN_FORCE, bulk_limit=2)
    assert codes(decide_again([past(replace(FACTS, bulk_limit=0))], rules, before)) == "h"
    assert codes(decide_again([past(replace(FACTS, bulk_limit=0))], rules, before[:2])) == "i"


def test_a_decision_that_would_not_invite_makes_room_for_another():
    first = with_candidate(replace(FACTS, mappings=MappingIndex()), tags=("CodeScreen Backend",))
    tagged = past(replace(first, bulk_limit=1))
    second = past(
        replace(FACTS, bulk_limit=1, recently_invited=1, mappings=mapped(("role-1", "", "Backend")))
    )
    assert (tagged.verdict, second.verdict) == ("invite", "held_for_approval")
    untagged = replace(
        tagged, facts=replace(tagged.facts, facts=with_candidate(tagged.facts.facts, may_contact=False))
    )
    results = again([untagged, second], bulk_limit=1)
    assert [one.now.code for one in results] == ["contact_not_allowed", "invite"]


def test_a_delivery_without_facts_counts_as_it_was():
    decisions = [replace(past(replace(FACTS, bulk_limit=0)), facts=None), past(replace(FACTS, bulk_limit=0))]
    assert [one.now for one in again(decisions, bulk_limit=1)][1].code == "held_for_approval"


def test_a_persons_choice_stays_under_any_mapping():
    chosen = replace(FACTS, assessments=(BACKEND, FRONTEND), chosen_assessment=FRONTEND.id)
    one = only(chosen, mappings=mapped(("Backend Engineer", "", "Backend")))
    assert (one.differs, one.now) == (False, ("invite", FRONTEND))


def test_beside_the_rules_in_force_an_earlier_change_is_no_difference():
    decisions = [past(HOLDS["no_assessment"](FACTS)), past(FACTS)]
    assert [one.differs for one in again(decisions)] == [True, False]
    results = list(beside(again(decisions), again(decisions)))
    assert [(one.differs, one.then) for one in results] == [(False, ("invite", BACKEND))] * 2
    other = again(decisions, mappings=mapped(("Backend Engineer", "", "Frontend Developer")))
    results = list(beside(again(decisions), other))
    assert [(one.then.assessment, one.now) for one in results] == [(BACKEND, ("invite", FRONTEND))] * 2


def test_beside_the_rules_in_force_what_is_not_known_is_not_compared():
    unread = past(replace(FACTS, stage_name="Phone screen", candidate=NoCandidate.UNREAD))
    today = again([unread], stage_prefix="Phone")
    assert today[0].now is Unknown.NOT_READ
    [one] = beside(today, again([unread], stage_prefix="Phone"))
    assert (one.is_decided, one.differs) == (False, False)
