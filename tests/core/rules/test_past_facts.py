"""Stored facts give the verdict again, hold nothing personal, and are refused when they were changed."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules.decide import decide
from integrations.core.rules.extra_time import ExtraTimeRule
from integrations.core.rules.facts import CandidateSnapshot, EnteredBefore, ExistingInvitation, NoCandidate
from integrations.core.rules.past_facts import read_facts, stored_facts
from integrations.core.vocabulary import ReentryPolicy, ResultOutcome
from tests.core.rules.examples import FACTS, existing_invitation, with_candidate
from tests.core.rules.test_any_facts import all_facts
from tests.core.rules.test_decide import HOLDS

SHORT = 2000  # bytes
THOROUGH = settings(max_examples=150, deadline=None)


def stored(facts):
    """Return what is stored of the facts and their decision, as it comes back from a database."""
    return json.loads(json.dumps(stored_facts(facts, decide(facts))))


def again(facts):
    """Return the facts that are read again, with the rules of the first ones and the assessments known then."""
    past = read_facts(stored(facts), facts.event)
    assert past is not None
    return replace(
        past.facts,
        stage_prefix=facts.stage_prefix,
        mappings=facts.mappings,
        default_assessment=facts.default_assessment,
        assessments=past.found,
        reentry=facts.reentry,
        reentry_days=facts.reentry_days,
        bulk_limit=facts.bulk_limit,
        bulk_window=facts.bulk_window,
        origins=facts.origins,
    )


def chosen(decision):
    return (
        decision.verdict,
        decision.assessment,
        decision.assessment_source,
        decision.names,
        decision.existing_invitation_id,
        decision.round,
    )


def test_a_choice_is_given_again_by_its_stored_facts():
    facts = replace(FACTS, chosen_assessment="id-frontend", invitations_here=())
    assert again(facts).chosen_assessment == "id-frontend"
    assert chosen(decide(again(facts))) == chosen(decide(facts))


@pytest.mark.parametrize("code", HOLDS)
def test_each_verdict_is_given_again_by_its_stored_facts(code):
    facts = HOLDS[code](FACTS)
    assert chosen(decide(again(facts))) == chosen(decide(facts))
    assert decide(facts).verdict == code


any_existing = st.builds(
    ExistingInvitation,
    id=st.integers(1, 9),
    assessment_id=st.sampled_from(["id-backend", "id-frontend"]),
    status=st.sampled_from(InvitationStatus),
    standing=st.just("done"),
    was_sent=st.booleans(),
    opportunity_id=st.sampled_from(["", "one", "two"]),
    round=st.integers(1, 3),
    outcome=st.none() | st.sampled_from(ResultOutcome),
    days_since_completion=st.none() | st.floats(0, 400),
    was_reentered=st.booleans(),
    is_cancelled_by_person=st.booleans(),
)
with_rounds = st.builds(
    replace,
    all_facts,
    invitations_here=st.lists(any_existing, max_size=3).map(tuple),
    invitations_elsewhere=st.lists(any_existing, max_size=3).map(tuple),
    reentry=st.sampled_from(ReentryPolicy),
    reentry_days=st.integers(1, 400),
    entered_before=st.none() | st.sampled_from(EnteredBefore),
    is_erased=st.booleans(),
)


@given(all_facts | with_rounds)
@THOROUGH
def test_any_facts_give_their_verdict_again(facts):
    assert chosen(decide(again(facts))) == chosen(decide(facts))


@given(all_facts | with_rounds)
@THOROUGH
def test_no_address_is_stored(facts):
    kept = stored(facts)
    if isinstance(facts.candidate, CandidateSnapshot):
        texts = json.dumps(kept, ensure_ascii=False)
        assert not any(email in texts for email in facts.candidate.emails if len(email) > 1 and "@" in email)


def test_of_extra_time_only_whether_the_rule_applied_is_stored():
    rule = ExtraTimeRule("Accommodation", "Do you need more time?", ("Yes, please",))
    facts = with_candidate(replace(FACTS, extra_time=rule), tags=("Accommodation",), needs_extra_time=True)
    kept = stored(facts)
    assert not {"Accommodation", "time?", "please"} & set(json.dumps(kept).replace('"', " ").split())
    assert (kept["extra_time"], kept["candidate"]["extra_time"]) == (rule.digest, True)
    assert decide(again(facts)).verdict == "held_for_approval"
    assert "extra_time" not in json.dumps(stored(FACTS))


def test_what_is_stored_of_an_invitation_is_short_and_names_nobody():
    facts = with_candidate(tags=("urgent", "Alder's friend", "CodeScreen Backend", "CodeScreen: Invited"))
    kept = json.dumps(stored(facts))
    assert "lder" not in kept
    assert "CodeScreen Backend" in kept
    assert len(kept) < SHORT


@pytest.mark.parametrize("code", ["paused", "disconnected", "ignored_event", "erased", "test_request"])
def test_nothing_of_the_candidate_is_stored_when_the_verdict_holds_without_them(code):
    assert set(stored(HOLDS[code](FACTS))) <= {"version", "test", "paused", "disconnected", "erased"}


@pytest.mark.parametrize(
    ("facts", "is_stage_known"),
    [(HOLDS["paused"](FACTS), False), (replace(FACTS, stage_name="", candidate=NoCandidate.UNREAD), True)],
    ids=["not asked for", "not listed"],
)
def test_what_was_not_asked_for_is_told_from_what_was_not_there(facts, is_stage_known):
    past = read_facts(stored(facts), FACTS.event)
    assert past is not None
    assert (past.is_stage_known, past.facts.stage_name) == (is_stage_known, "")


WHOLE = stored(
    with_candidate(
        replace(
            FACTS,
            invitations_here=(existing_invitation("failed", was_sent=False),),
            invitations_elsewhere=(existing_invitation("completed"),),
        ),
        tags=("CodeScreen Backend",),
    )
)


@pytest.mark.parametrize(
    "kept", [None, [], "", 7, True, {}, {"version": 2}, {"version": True}, {**WHOLE, "version": 2}]
)
def test_something_else_than_stored_facts_is_not_read(kept):
    assert read_facts(kept, "candidateStageChange") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"stage": ["one"]},
        {"stage": ["one", 2]},
        {"stage": "stage-1"},
        {"candidate": "invented"},
        {"candidate": 5},
        {"candidate": {}},
        {"candidate": {"role": ["role-1", None]}},
        {"candidate": {**WHOLE["candidate"], "email": "alder@candidates.example"}},
        {"candidate": {**WHOLE["candidate"], "origin": "invented"}},
        {"candidate": {**WHOLE["candidate"], "origin": ["agency"]}},
        {"candidate": {**WHOLE["candidate"], "tags": "CodeScreen Backend"}},
        {"candidate": {**WHOLE["candidate"], "extra_time": "yes"}},
        {"extra_time": True},
        {"paused": 1},
        {"here": {}},
        {"here": [[]]},
        {"here": [{**WHOLE["here"][0], "status": "invented"}]},
        {"here": [{**WHOLE["here"][0], "id": "7"}]},
        {"here": [{**WHOLE["here"][0], "round": 1.5}]},
        {"here": [{**WHOLE["here"][0], "outcome": "Perhaps"}]},
        {"here": [{**WHOLE["here"][0], "days": 10**400}]},
        {"here": [{**WHOLE["here"][0], "days": True}]},
        {"recent": [1]},
        {"recent": [1, 2, 3]},
        {"recent": [1, "10"]},
        {"names": "Backend"},
        {"found": [["id-backend"]]},
        {"found": "Backend"},
    ],
    ids=str,
)
def test_facts_that_were_changed_are_refused(changes):
    assert read_facts(WHOLE, "candidateStageChange") is not None
    assert read_facts({**WHOLE, **changes}, "candidateStageChange") is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WHOLE, "id"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*WHOLE, "candidate", "here"]), json_values, max_size=6))
@THOROUGH
def test_any_json_is_read_or_refused_without_an_error(values):
    past = read_facts({**WHOLE, **values}, "candidateStageChange")
    if past is not None:
        decide(replace(past.facts, mappings=FACTS.mappings, assessments=past.found))
