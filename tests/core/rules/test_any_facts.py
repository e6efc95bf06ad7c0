"""What holds for any facts at all."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules.decide import decide
from integrations.core.rules.facts import CandidateSnapshot, ExistingInvitation, NoCandidate
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.rules.names import KnownAssessment
from integrations.core.verdict_code import INVITING_VERDICTS, VerdictCode
from integrations.core.vocabulary import Category, Origin, OriginRule, ProgressTag
from tests.core.rules.examples import BACKEND, FACTS, FRONTEND
from tests.core.rules.test_decide import CODES

names = st.text(alphabet=st.characters(blacklist_characters="@", codec="utf-8"), max_size=20)
ids = st.sampled_from(["stage-1", "stage-2", "role-1", "role-2", "id-backend", ""]) | names
few_names = (
    st.sampled_from(["Backend", "backend ", "Frontend  Developer", "Bakend", "id-backend", ""]) | names
)
titles = st.sampled_from(["Backend Engineer", "Designer", "CodeScreen Engineer", ""]) | names
tags = (
    st.sampled_from(["CodeScreen Backend", "CodeScreen frontend developer", "urgent", *ProgressTag]) | names
)
categories = st.frozensets(
    st.tuples(st.sampled_from(Category), st.sampled_from(["Berlin", "berlin ", "Design"]) | names), max_size=3
)
emails = st.sampled_from(["alder@candidates.example", "", "nothing", "@"]) | st.emails()
existing_invitations = st.builds(
    ExistingInvitation,
    id=st.integers(1, 9),
    assessment_id=st.sampled_from(["id-backend", "id-frontend"]),
    status=st.sampled_from(InvitationStatus),
    standing=st.just("invited and not started"),
    was_sent=st.booleans(),
)
candidates = st.builds(
    CandidateSnapshot,
    stage_id=st.sampled_from(["stage-1", "stage-1", "stage-2"]),
    stage_name=st.sampled_from(["CodeScreen Assessment", "Phone screen"]),
    role_id=ids,
    role_title=titles,
    categories=categories,
    tags=st.lists(tags, max_size=3).map(tuple),
    emails=st.lists(emails, max_size=2).map(tuple),
    is_archived=st.sampled_from([False, False, True]),
    is_anonymized=st.sampled_from([False, False, True]),
    may_contact=st.sampled_from([True, True, False]),
    origin=st.none() | st.sampled_from(Origin),
    needs_extra_time=st.booleans(),
)
assessments = st.lists(
    st.sampled_from([BACKEND, FRONTEND]) | st.builds(KnownAssessment, id=ids, name=few_names),
    max_size=3,
    unique_by=lambda assessment: assessment.id,
)
rules = st.builds(MappingRule, role=titles | ids, stage=titles | ids, assessment=few_names) | st.builds(
    MappingRule, role=st.just(""), stage=st.just(""), assessment=few_names, categories=categories
)
any_facts = st.builds(
    replace,
    st.just(FACTS),
    event=st.sampled_from(["candidateStageChange", "sweep"]),
    candidate=candidates | st.sampled_from(NoCandidate),
    mappings=st.lists(rules, max_size=3).map(MappingIndex),
    assessments=assessments.map(tuple),
    default_assessment=few_names,
    chosen_assessment=st.sampled_from(["", "", "id-backend", "id-gone"]),
    invitations_here=st.lists(existing_invitations, max_size=2).map(tuple),
    invitations_elsewhere=st.lists(existing_invitations, max_size=2).map(tuple),
    recently_invited=st.integers(0, 100),
    bulk_limit=st.integers(0, 100),
    origins=st.dictionaries(st.sampled_from(Origin), st.sampled_from(OriginRule)),
)


@given(any_facts)
@settings(max_examples=300, deadline=None)
def test_an_invitation_implies_one_assessment_an_address_and_no_earlier_invitation(facts):
    decision = decide(facts)
    assert decision.verdict in CODES
    assert decision.explanation.strip()
    assert "@" not in decision.explanation + decision.next_step
    if decision.verdict not in INVITING_VERDICTS:
        return
    assert decision.assessment is not None
    assert decision.assessment in facts.assessments
    assert not facts.candidate.is_archived
    assert not facts.candidate.is_anonymized
    assert facts.candidate.may_contact
    assert "@" in decision.email
    assert decision.email in facts.candidate.emails
    assert facts.candidate.stage_id == facts.stage_id
    for existing in (*facts.invitations_here, *facts.invitations_elsewhere):
        assert not (existing.assessment_id == decision.assessment.id and existing.blocks)
    is_over = bool(facts.bulk_limit) and facts.recently_invited >= facts.bulk_limit
    rule = OriginRule.SEND if facts.chosen_assessment else facts.origins.get(facts.candidate.origin)
    assert rule != OriginRule.SKIP
    is_waiting = facts.candidate.needs_extra_time and not facts.chosen_assessment
    assert (decision.verdict is VerdictCode.HELD_FOR_APPROVAL) is (
        is_over or rule == OriginRule.HOLD or is_waiting
    )
