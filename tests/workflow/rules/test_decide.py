"""Facts → verdict: every code in its order, and what holds for any facts at all."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from integrations.models import Delivery
from integrations.vocabulary import ProgressTag, Verdict
from integrations.workflow.rules.decide import (
    CandidateSnapshot,
    ExistingInvitation,
    Facts,
    KnownAssessment,
    MappingRule,
    assessment_tags,
    begins_with_prefix,
    closest_name,
    decide,
    is_progress_tag,
    is_trigger,
    matching_assessments,
    normalized,
)
from integrations.workflow.rules.next_steps import NEXT_STEPS

BACKEND = KnownAssessment("id-backend", "Backend")
FRONTEND = KnownAssessment("id-frontend", "Frontend Developer")
CODES = [code for code in list(Delivery.Verdict) if code != Delivery.Verdict.NOTED]

CANDIDACY = CandidateSnapshot(
    stage_id="stage-1",
    stage_name="CodeScreen Assessment",
    role_id="role-1",
    role_title="Backend Engineer",
    emails=("alder@candidates.example",),
)
FACTS = Facts(
    event="candidateStageChange",
    stage_id="stage-1",
    stage_name="CodeScreen Assessment",
    candidacy=CANDIDACY,
    mappings=(MappingRule("Backend Engineer", "", "Backend"),),
    assessments=(BACKEND, FRONTEND),
    bulk_limit=50,
)


def standing(status="invited", *, was_sent=True, assessment=BACKEND.id):
    return ExistingInvitation(
        7, assessment, status, "invited and not started", "1 May 2026, 09:00 UTC", was_sent
    )


def with_candidacy(facts=FACTS, **changes):
    return replace(facts, candidacy=replace(facts.candidacy, **changes))


# one by one: each makes its own verdict hold and leaves all later ones as they are

HOLDS = {
    "test_request": lambda facts: replace(facts, is_test=True),
    "paused": lambda facts: replace(facts, is_paused=True),
    "disconnected": lambda facts: replace(facts, disconnected="Lever isn't connected."),
    "ignored_event": lambda facts: replace(facts, event="candidateHired"),
    "not_a_trigger_stage": lambda facts: replace(facts, stage_name="Phone screen"),
    "not_visible": lambda facts: replace(facts, candidacy="not_visible"),
    "left_stage": lambda facts: with_candidacy(facts, stage_id="stage-2", stage_name="Offer"),
    "archived": lambda facts: with_candidacy(facts, is_archived=True),
    "anonymized": lambda facts: with_candidacy(facts, is_anonymized=True),
    "contact_not_allowed": lambda facts: with_candidacy(facts, may_contact=False),
    "no_assessment": lambda facts: replace(facts, mappings=()),
    "unknown_assessment": lambda facts: replace(
        facts, mappings=(MappingRule("Backend Engineer", "", "Bakend"),)
    ),
    "ambiguous_assessment": lambda facts: with_candidacy(
        replace(facts, mappings=()), tags=("CodeScreen Backend", "CodeScreen Frontend Developer")
    ),
    "no_email": lambda facts: with_candidacy(facts, emails=()),
    "already_invited": lambda facts: replace(facts, here=(standing(),)),
    "invited_elsewhere": lambda facts: replace(facts, elsewhere=(standing(),)),
    "held_for_approval": lambda facts: replace(facts, recently_invited=50),
    "invite": lambda facts: facts,
}
#: Three verdicts about the assessment exclude each other, so no two of them can compete.
EXCLUSIVE = {"no_assessment", "unknown_assessment", "ambiguous_assessment"}


def test_every_code_has_a_case():
    assert list(HOLDS) == CODES
    assert set(NEXT_STEPS) == set(CODES)


@pytest.mark.parametrize("code", HOLDS)
def test_each_verdict(code):
    decision = decide(HOLDS[code](FACTS))
    assert decision.verdict == code
    assert decision.explanation.endswith((".", "?"))
    assert decision.next_step


PAIRS = [
    (first, second)
    for position, first in enumerate(CODES)
    for second in CODES[position + 1 :]
    if not {first, second} <= EXCLUSIVE
    and second != Verdict.INVITE
    # without a candidate there is nothing else to say about one
    and first != Verdict.NOT_VISIBLE
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_earlier_verdict_wins(first, second):
    assert decide(HOLDS[first](HOLDS[second](FACTS))).verdict == first


def test_an_invitation_says_what_is_sent_to_whom():
    decision = decide(FACTS)
    assert (decision.assessment, decision.email) == (BACKEND, "alder@candidates.example")
    assert decision.explanation == "“Backend” is sent: the mapping for this role names it."


# what names the assessment


@pytest.mark.parametrize(
    ("mappings", "tags", "default", "expected"),
    [
        (
            [
                ("Backend Engineer", "CodeScreen Assessment", "Frontend Developer"),
                ("Backend Engineer", "", "Backend"),
            ],
            [],
            "",
            FRONTEND,
        ),
        (
            [("Backend Engineer", "stage-1", "Frontend Developer"), ("Backend Engineer", "", "Backend")],
            [],
            "",
            FRONTEND,
        ),
        ([("role-1", "", "id-frontend")], ["CodeScreen Backend"], "Backend", FRONTEND),
        (
            [("Backend Engineer", "CodeScreen Other", "Backend")],
            ["CodeScreen Frontend Developer"],
            "",
            FRONTEND,
        ),
        ([("Another role", "", "Backend")], ["CodeScreen Frontend Developer"], "Backend", FRONTEND),
        ([], ["CodeScreen frontend  DEVELOPER "], "", FRONTEND),
        ([], ["codescreen Backend", "CodeScreen Backend", "CodeScreen backend"], "", BACKEND),
        ([], ["CodeScreen: Candidate Invited", "urgent"], "Backend", BACKEND),
        ([], [], "id-backend", BACKEND),
        ([], [], "  backend ", BACKEND),
    ],
)
def test_what_names_the_assessment(mappings, tags, default, expected):
    facts = replace(FACTS, mappings=tuple(MappingRule(*row) for row in mappings), default_assessment=default)
    decision = decide(with_candidacy(facts, tags=tuple(tags)))
    assert (decision.verdict, decision.assessment) == ("invite", expected)


def test_an_exact_name_beats_a_similar_one():
    both = (KnownAssessment("1", "backend"), KnownAssessment("2", "Backend"))
    assert matching_assessments("Backend", both) == (both[1],)
    assert matching_assessments("BACKEND", both) == both
    facts = with_candidacy(replace(FACTS, mappings=(), assessments=both), tags=("CodeScreen BACKEND",))
    assert decide(facts).verdict == "ambiguous_assessment"


def test_an_unknown_name_says_what_was_probably_meant():
    facts = with_candidacy(replace(FACTS, mappings=()), tags=("CodeScreen Fronted Developer",))
    decision = decide(facts)
    assert decision.verdict == "unknown_assessment"
    assert decision.explanation.endswith("Did you mean “Frontend Developer”?")
    assert "“Fronted Developer”" in decision.explanation


def test_an_unknown_name_that_is_near_to_nothing_suggests_nothing():
    facts = with_candidacy(replace(FACTS, mappings=()), tags=("CodeScreen Xylophone",))
    assert "Did you mean" not in decide(facts).explanation
    assert closest_name("", ["Backend"]) == ""
    assert closest_name("Backend", []) == ""


def test_a_mapping_for_the_role_needs_a_stage_with_the_prefix():
    mapped_stage = MappingRule("Another role", "Take-home", "Backend")
    facts = replace(FACTS, stage_name="Take-home", mappings=(*FACTS.mappings, mapped_stage))
    assert decide(facts).verdict == "no_assessment"


def test_a_role_that_is_itself_called_codescreen_names_no_assessment():
    facts = with_candidacy(
        replace(FACTS, mappings=()),
        role_title="CodeScreen Engineer",
        tags=("CodeScreen Engineer", "CodeScreen Backend"),
    )
    assert decide(facts).assessment == BACKEND


@pytest.mark.parametrize(
    ("tag", "names"),
    [
        ("CodeScreen Backend", ("Backend",)),
        ("codescreen backend", ("backend",)),
        ("  CodeScreen   Frontend Developer ", ("Frontend Developer",)),
        ("CodeScreen", ()),
        ("CodeScreen ", ()),
        ("CodeScreenBackend", ()),
        ("CodeScreen: Backend", ()),
        ("CodeScreen :Backend", ()),
        ("CodeScreen : Backend", ()),
        ("My CodeScreen Backend", ()),
        ("", ()),
    ],
)
def test_assessment_tags(tag, names):
    assert assessment_tags([tag]) == names


@pytest.mark.parametrize(
    ("name", "prefix", "expected"),
    [
        ("CodeScreen Assessment", "CodeScreen", True),
        ("  codescreen", "CodeScreen", True),
        ("CODESCREEN – round 2", " CodeScreen ", True),
        ("Code Screen", "CodeScreen", False),
        ("Pre CodeScreen", "CodeScreen", False),
        ("", "CodeScreen", False),
        ("anything", "", False),
        ("anything", "   ", False),
    ],
)
def test_the_stage_prefix(name, prefix, expected):
    assert begins_with_prefix(name, prefix) is expected


# what stands in the way


@pytest.mark.parametrize(
    ("status", "was_sent", "code"),
    [
        ("held", False, "already_invited"),
        ("pending", False, "already_invited"),
        ("sending", False, "already_invited"),
        ("uncertain", True, "already_invited"),
        ("invited", True, "already_invited"),
        ("in_progress", True, "already_invited"),
        ("submitted", True, "already_invited"),
        ("completed", True, "already_invited"),
        ("withdrawn", True, "already_invited"),
        ("withdrawn", False, "invite"),
        ("failed", False, "invite"),
    ],
)
def test_an_invitation_that_exists_stands_in_the_way_unless_it_never_went_out(status, was_sent, code):
    decision = decide(replace(FACTS, here=(standing(status, was_sent=was_sent),)))
    assert decision.verdict == code
    if code == "already_invited":
        assert decision.standing_id == 7
        assert "since 1 May 2026" in decision.explanation


def test_another_assessment_does_not_stand_in_the_way():
    other = standing(assessment=FRONTEND.id)
    assert decide(replace(FACTS, here=(other,), elsewhere=(other,))).verdict == "invite"


@pytest.mark.parametrize(
    ("limit", "recent", "code"),
    [(50, 49, "invite"), (50, 50, "held_for_approval"), (0, 9999, "invite"), (1, 1, "held_for_approval")],
)
def test_the_bulk_limit(limit, recent, code):
    assert decide(replace(FACTS, bulk_limit=limit, recently_invited=recent)).verdict == code


@pytest.mark.parametrize(
    ("emails", "email"),
    [
        (("", "alder@candidates.example"), "alder@candidates.example"),
        (("not an address", "alder@candidates.example"), "alder@candidates.example"),
        (("x" * 320 + "@candidates.example", "alder@candidates.example"), "alder@candidates.example"),
        (("not an address",), ""),
    ],
)
def test_the_first_usable_address(emails, email):
    decision = decide(with_candidacy(emails=emails))
    assert (decision.verdict, decision.email) == (("invite", email) if email else ("no_email", ""))


@pytest.mark.parametrize("event", ["candidateStageChange", "sweep"])
def test_events_that_may_invite(event):
    assert decide(replace(FACTS, event=event)).verdict == "invite"


# for any facts

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
emails = st.sampled_from(["alder@candidates.example", "", "nothing", "@"]) | st.emails()
statuses = st.sampled_from(
    [
        "held",
        "pending",
        "sending",
        "uncertain",
        "invited",
        "in_progress",
        "submitted",
        "completed",
        "withdrawn",
        "failed",
    ]
)
standings = st.builds(
    ExistingInvitation,
    id=st.integers(1, 9),
    assessment_id=st.sampled_from(["id-backend", "id-frontend"]),
    status=statuses,
    words=st.just("invited and not started"),
    since=st.just("1 May 2026, 09:00 UTC"),
    was_sent=st.booleans(),
)
candidacies = st.builds(
    CandidateSnapshot,
    stage_id=ids,
    stage_name=stage_names,
    role_id=ids,
    role_title=titles,
    tags=st.lists(tags, max_size=3).map(tuple),
    emails=st.lists(emails, max_size=2).map(tuple),
    is_archived=st.booleans(),
    is_anonymized=st.booleans(),
    may_contact=st.booleans(),
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
    is_paused=st.booleans(),
    disconnected=st.sampled_from(["", "Lever isn't connected."]),
    stage_prefix=st.sampled_from(["CodeScreen", "", " code"]) | names,
    stage_id=ids,
    stage_name=stage_names,
    candidacy=st.sampled_from(["unread", "not_visible"]) | candidacies,
    mappings=st.lists(
        st.builds(MappingRule, role=titles | ids, stage=stage_names | ids, assessment=few_names), max_size=3
    ).map(tuple),
    assessments=choices,
    default_assessment=few_names,
    here=st.lists(standings, max_size=2).map(tuple),
    elsewhere=st.lists(standings, max_size=2).map(tuple),
    recently_invited=st.integers(0, 100),
    bulk_limit=st.integers(0, 100),
)
#: Facts that come far: nothing but the assessment, the address and what stands in the way is left to decide.
late_facts = st.builds(
    replace,
    any_facts,
    event=st.just("candidateStageChange"),
    is_test=st.just(False),
    is_paused=st.just(False),
    disconnected=st.just(""),
    stage_prefix=st.just("CodeScreen"),
    stage_id=st.just("stage-1"),
    stage_name=st.just("CodeScreen Assessment"),
    candidacy=candidacies.map(
        lambda found: replace(
            found, stage_id="stage-1", is_archived=False, is_anonymized=False, may_contact=True
        )
    ),
)
either = any_facts | late_facts
THOROUGH = settings(max_examples=400, deadline=None)


@given(either)
@THOROUGH
def test_any_facts_give_one_known_code_and_a_sentence_without_an_address(facts):
    decision = decide(facts)
    assert decision.verdict in CODES
    assert decision.explanation.strip()
    assert "@" not in decision.explanation + decision.next_step
    assert decide(facts) == decision


@given(either)
@THOROUGH
def test_pausing_always_wins(facts):
    assert decide(replace(facts, is_paused=True, is_test=False)).verdict == "paused"


@given(either)
@THOROUGH
def test_a_lost_connection_never_invites(facts):
    assert decide(replace(facts, disconnected="Lever isn't connected.")).verdict in {
        "test_request",
        "paused",
        "disconnected",
    }


@given(
    either,
    st.sampled_from(
        [{"is_archived": True}, {"is_anonymized": True}, {"may_contact": False}, {"stage_id": "elsewhere"}]
    ),
)
@THOROUGH
def test_nobody_is_invited_who_left_or_may_not_be_contacted(facts, change):
    assume(isinstance(facts.candidacy, CandidateSnapshot) and facts.stage_id != "elsewhere")
    decision = decide(with_candidacy(facts, **change))
    assert decision.verdict not in {"invite", "held_for_approval", "already_invited", "invited_elsewhere"}


@given(either)
@THOROUGH
def test_an_invitation_implies_one_assessment_an_address_and_a_free_way(facts):
    decision = decide(facts)
    if decision.verdict not in {"invite", "held_for_approval"}:
        return
    assert decision.assessment is not None
    assert decision.assessment in facts.assessments
    assert "@" in decision.email
    assert decision.email in facts.candidacy.emails
    assert is_trigger(facts.stage_id, facts.stage_name, facts.stage_prefix, facts.mappings)
    assert facts.candidacy.stage_id == facts.stage_id
    blocking = [row for row in facts.here if row.assessment_id == decision.assessment.id and row.blocks]
    elsewhere = [row for row in facts.elsewhere if row.assessment_id == decision.assessment.id]
    assert not blocking
    assert not elsewhere
    is_over = bool(facts.bulk_limit) and facts.recently_invited >= facts.bulk_limit
    assert (decision.verdict == "held_for_approval") is is_over


@given(
    either,
    st.sampled_from(["urgent", "Codescreened", "", "remote", *ProgressTag, "CodeScreen: Backend"]),
)
@THOROUGH
def test_a_tag_that_is_no_assessment_changes_nothing(facts, tag):
    assume(isinstance(facts.candidacy, CandidateSnapshot))
    assert decide(with_candidacy(facts, tags=(*facts.candidacy.tags, tag))) == decide(facts)


@given(either)
@THOROUGH
def test_a_mapping_for_another_role_changes_nothing(facts):
    assume(isinstance(facts.candidacy, CandidateSnapshot))
    rule = MappingRule("a role that nobody has here", "", "Backend")
    assume(
        normalized(rule.role)
        not in {normalized(facts.candidacy.role_title), normalized(facts.candidacy.role_id)}
    )
    assert decide(replace(facts, mappings=(*facts.mappings, rule))) == decide(facts)


@given(late_facts)
@THOROUGH
def test_the_order_of_tags_and_mappings_does_not_matter(facts):
    turned = with_candidacy(replace(facts, mappings=facts.mappings[::-1]), tags=facts.candidacy.tags[::-1])
    # a name that is written twice may be quoted as either spells it
    assert decide(turned).verdict == decide(facts).verdict


@given(
    st.sampled_from(list(ProgressTag)),
    st.sampled_from([str, str.upper, str.lower, lambda text: f"  {text} "]),
)
def test_a_progress_tag_never_names_an_assessment(tag, spelled):
    assert assessment_tags([spelled(tag)]) == ()
    assert is_progress_tag(spelled(tag))


@given(late_facts, st.sampled_from([str.upper, str.lower, str.title]))
@THOROUGH
def test_case_and_spaces_do_not_matter_where_one_assessment_has_the_name(facts, change):
    facts = replace(facts, assessments=(BACKEND, FRONTEND))

    def spelled(text):
        return "  ".join(change(text).split()) + " "

    respelled = replace(
        facts,
        stage_name=f" {facts.stage_name.upper()}  ",
        mappings=tuple(
            replace(rule, role=spelled(rule.role), assessment=spelled(rule.assessment))
            if rule.role in {"Backend Engineer", "Designer"} and rule.assessment in {"Backend", "Bakend", ""}
            else rule
            for rule in facts.mappings
        ),
    )
    tags = tuple(spelled(tag) if tag.startswith("CodeScreen") else tag for tag in facts.candidacy.tags)
    assert decide(with_candidacy(respelled, tags=tags)).verdict == decide(facts).verdict
