"""What holds for any facts at all."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules.decide import decide
from integrations.core.rules.facts import (
    CandidateSnapshot,
    ExistingInvitation,
    Facts,
    LostRows,
    NoCandidate,
    Pause,
)
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.rules.names import KnownAssessment
from integrations.core.vocabulary import Category, Origin, OriginRule, ProgressTag
from tests.core.rules.examples import BACKEND, FRONTEND
from tests.core.rules.test_decide import CODES

names = st.text(alphabet=st.characters(blacklist_characters="@", codec="utf-8"), max_size=20)
few_names = (
    st.sampled_from(["Backend", "backend ", "Frontend  Developer", "Bakend", "id-backend", "", "CodeScreen"])
    | names
)
ids = st.sampled_from(["stage-1", "stage-2", "role-1", "role-2", "id-backend", ""]) | names
stage_names = st.sampled_from(["CodeScreen Assessment", " codescreen x", "Phone screen", ""]) | names
titles = st.sampled_from(["Backend Engineer", "Designer", "CodeScreen Engineer", ""]) | names
tags = (
    st.sampled_from(["CodeScreen Backend", "CodeScreen frontend developer", "urgent", *ProgressTag]) | names
)
categories = st.frozensets(
    st.tuples(st.sampled_from(Category), st.sampled_from(["Berlin", "berlin ", "Design"]) | names), max_size=3
)
emails = st.sampled_from(["alder@candidates.example", "", "nothing", "@"]) | st.emails()
statuses = st.sampled_from(InvitationStatus)
existing_invitations = st.builds(
    ExistingInvitation,
    id=st.integers(1, 9),
    assessment_id=st.sampled_from(["id-backend", "id-frontend"]),
    status=statuses,
    standing=st.just("invited and not started"),
    was_sent=st.booleans(),
)
candidates = st.builds(
    CandidateSnapshot,
    stage_id=ids,
    stage_name=stage_names,
    role_id=ids,
    role_title=titles,
    categories=categories,
    tags=st.lists(tags, max_size=3).map(tuple),
    emails=st.lists(emails, max_size=2).map(tuple),
    is_archived=st.booleans(),
    is_anonymized=st.booleans(),
    may_contact=st.booleans(),
    origin=st.none() | st.sampled_from(Origin),
    needs_extra_time=st.booleans(),
)
choices = st.lists(
    st.sampled_from([BACKEND, FRONTEND]) | st.builds(KnownAssessment, id=ids, name=few_names),
    max_size=3,
    unique_by=lambda choice: choice.id,
).map(tuple)
any_facts = st.builds(
    Facts,
    event=st.sampled_from(["candidateStageChange", "sweep", "candidateHired", ""]),
    is_test=st.booleans(),
    pause=st.sampled_from([None, *Pause]),
    other_integration_off=st.booleans(),
    disconnected_reason=st.sampled_from(["", "Lever isn't connected."]),
    stage_prefix=st.sampled_from(["CodeScreen", "", " code"]) | names,
    stage_id=ids,
    stage_name=stage_names,
    candidate=st.sampled_from(NoCandidate) | candidates,
    mappings=st.lists(
        st.builds(MappingRule, role=titles | ids, stage=stage_names | ids, assessment=few_names)
        | st.builds(
            MappingRule,
            role=st.just(""),
            stage=stage_names | ids,
            assessment=few_names,
            categories=categories,
        ),
        max_size=3,
    ).map(MappingIndex),
    assessments=choices,
    default_assessment=few_names,
    chosen_assessment=st.sampled_from(["", "", "id-backend", "id-gone"]),
    invitations_here=st.lists(existing_invitations, max_size=2).map(tuple),
    invitations_elsewhere=st.lists(existing_invitations, max_size=2).map(tuple),
    recently_invited=st.integers(0, 100),
    bulk_limit=st.integers(0, 100),
    origins=st.dictionaries(st.sampled_from(Origin), st.sampled_from(OriginRule)),
)
#: Facts for which only the assessment, the address, existing invitations and the bulk limit are left to decide.
decidable_facts = st.builds(
    replace,
    any_facts,
    event=st.just("candidateStageChange"),
    is_test=st.just(False),
    pause=st.none(),
    disconnected_reason=st.just(""),
    stage_prefix=st.just("CodeScreen"),
    stage_id=st.just("stage-1"),
    stage_name=st.just("CodeScreen Assessment"),
    candidate=candidates.map(
        lambda candidate: replace(
            candidate, stage_id="stage-1", is_archived=False, is_anonymized=False, may_contact=True
        )
    ),
)
all_facts = any_facts | decidable_facts
THOROUGH = settings(max_examples=150, deadline=None)


@given(all_facts)
@THOROUGH
def test_any_facts_give_one_known_code_and_a_sentence_without_an_address(facts):
    decision = decide(facts)
    assert decision.verdict in CODES
    assert decision.explanation.strip()
    assert "@" not in decision.explanation + decision.next_step
    assert decide(facts) == decision


@given(all_facts)
@THOROUGH
def test_an_invitation_implies_one_assessment_an_address_and_no_earlier_invitation(facts):
    decision = decide(facts)
    if decision.verdict not in {"invite", "held_for_approval"}:
        return
    assert decision.assessment is not None
    assert decision.assessment in facts.assessments
    assert not facts.candidate.is_archived
    assert not facts.candidate.is_anonymized
    assert facts.candidate.may_contact
    assert "@" in decision.email
    assert decision.email in facts.candidate.emails
    assert facts.trigger_policy.is_trigger(facts.stage_id, facts.stage_name, facts.candidate)
    assert facts.candidate.stage_id == facts.stage_id
    blocking = [
        row for row in facts.invitations_here if row.assessment_id == decision.assessment.id and row.blocks
    ]
    elsewhere = [
        row
        for row in facts.invitations_elsewhere
        if row.assessment_id == decision.assessment.id and row.blocks
    ]
    assert not blocking
    assert not elsewhere
    is_over = bool(facts.bulk_limit) and facts.recently_invited >= facts.bulk_limit
    rule = OriginRule.SEND if facts.chosen_assessment else facts.origins.get(facts.candidate.origin)
    assert rule != OriginRule.SKIP
    is_waiting = facts.candidate.needs_extra_time and not facts.chosen_assessment
    assert (decision.verdict == "held_for_approval") is (is_over or rule == OriginRule.HOLD or is_waiting)


@given(all_facts)
@THOROUGH
def test_who_was_in_the_stage_when_rows_were_lost_is_invited_by_nobody_but_a_person(facts):
    lost = LostRows(datetime(2026, 5, 1, tzinfo=UTC), ((facts.stage_id, facts.stage_name),))
    assert decide(replace(facts, lost=lost)).verdict not in {"invite", "held_for_approval"}
