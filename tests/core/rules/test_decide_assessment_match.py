"""Which assessment is chosen, by a mapping, a tag or the default."""

import unicodedata
from dataclasses import replace

import pytest

from integrations.core.rules.decide import decide
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.rules.names import KnownAssessment, closest_name, matching_assessments, normalize
from integrations.core.vocabulary import Approval, AssessmentSource, Category
from tests.core.rules.examples import BACKEND, FACTS, FRONTEND, with_candidate


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
def test_the_first_source_that_names_an_assessment_wins(mappings, tags, default, expected):
    facts = replace(
        FACTS, mappings=MappingIndex(MappingRule(*row) for row in mappings), default_assessment=default
    )
    decision = decide(with_candidate(facts, tags=tuple(tags)))
    assert (decision.verdict, decision.assessment) == ("invite", expected)


def test_a_name_is_the_same_in_every_form_of_unicode():
    composed, decomposed = "Développeur", unicodedata.normalize("NFD", "Développeur")
    developer = KnownAssessment("1", composed)
    assert matching_assessments(decomposed, [developer]) == (developer,)
    assert normalize(decomposed) == normalize(composed)


def test_an_exact_name_is_preferred_to_one_in_other_case():
    both = (KnownAssessment("1", "backend"), KnownAssessment("2", "Backend"))
    assert matching_assessments("Backend", both) == (both[1],)
    assert matching_assessments("BACKEND", both) == both
    facts = with_candidate(
        replace(FACTS, mappings=MappingIndex(), assessments=both), tags=("CodeScreen BACKEND",)
    )
    assert decide(facts).verdict == "ambiguous_assessment"


def test_an_unknown_name_gets_a_suggestion_when_one_is_similar():
    facts = with_candidate(replace(FACTS, mappings=MappingIndex()), tags=("CodeScreen Fronted Developer",))
    decision = decide(facts)
    assert decision.verdict == "unknown_assessment"
    assert decision.explanation.endswith("Did you mean “Frontend Developer”?")
    assert "“Fronted Developer”" in decision.explanation


def test_an_unknown_name_gets_no_suggestion_when_none_is_similar():
    facts = with_candidate(replace(FACTS, mappings=MappingIndex()), tags=("CodeScreen Xylophone",))
    assert "Did you mean" not in decide(facts).explanation
    assert closest_name("", ["Backend"]) == ""
    assert closest_name("Backend", []) == ""


@pytest.mark.parametrize(
    "others",
    [
        {"tags": ("CodeScreen Frontend Developer",)},
        {"role_title": "Frontend Developer", "tags": ("CodeScreen Frontend Developer",)},
        {"role_title": ""},
    ],
)
def test_a_stage_that_a_mapping_names_sends_nothing_to_others(others):
    mapped_stage = MappingRule("Another role", "Take-home", "Backend")
    facts = replace(
        FACTS,
        stage_name="Take-home",
        mappings=MappingIndex([*FACTS.mappings.rules, mapped_stage]),
        default_assessment="Backend",
    )
    decision = decide(with_candidate(facts, **others))
    assert (decision.verdict, decision.verdict.record.leaves_note) == ("not_a_trigger_stage", False)
    assert decision.explanation.startswith("The stage “Take-home” sends no assessment to candidates of this")
    assert ("doesn't show this candidate's role" in decision.explanation) is (others.get("role_title") == "")


@pytest.mark.parametrize(
    "mapping",
    [
        MappingRule("Backend Engineer", "Take-home", "Backend"),
        MappingRule("", "Take-home", "Backend", frozenset({(Category.LOCATION, "Berlin")})),
    ],
)
def test_a_stage_that_a_mapping_names_sends_its_candidates_what_it_names_whatever_their_tags(mapping):
    facts = replace(
        FACTS,
        stage_name="Take-home",
        mappings=MappingIndex([mapping, MappingRule("Backend Engineer", "", "Frontend Developer")]),
        default_assessment="Frontend Developer",
    )
    decision = decide(with_candidate(facts, tags=("CodeScreen Frontend Developer",), categories=SHOWN))
    assert (decision.verdict, decision.assessment) == ("invite", BACKEND)


def test_two_mappings_of_one_role_with_other_rules_each_are_ambiguous():
    one = MappingRule("Backend Engineer", "", "Backend")
    by_id = MappingRule("role-1", "", "Backend", approval=Approval.ALWAYS)
    assert decide(replace(FACTS, mappings=MappingIndex([one, by_id]))).verdict == "ambiguous_assessment"


def test_an_inherited_role_title_that_begins_with_codescreen_names_no_assessment():
    facts = with_candidate(
        replace(FACTS, mappings=MappingIndex()),
        role_title="CodeScreen Engineer",
        tags=("CodeScreen Engineer", "CodeScreen Backend"),
    )
    decision = decide(facts)
    assert (decision.assessment, decision.assessment_written) == (BACKEND, "Backend")


@pytest.mark.parametrize(
    ("mapping", "tags", "default", "source", "written"),
    [
        (("role-1", "stage-1", "Bakend"), (), "", AssessmentSource.MAPPING_FOR_STAGE, "Bakend"),
        (("role-1", "", "backend"), (), "", AssessmentSource.MAPPING_FOR_ROLE, "backend"),
        (("role-2", "", "Backend"), ("CodeScreen Fronted”s", "x"), "", AssessmentSource.TAG, "Fronted”s"),
        (("role-2", "", "Backend"), (), "id-backend", AssessmentSource.DEFAULT, "id-backend"),
        (("role-2", "", "Backend"), (), "", None, ""),
    ],
)
def test_the_decision_records_what_named_the_assessment_and_how_it_was_written(
    mapping, tags, default, source, written
):
    facts = replace(FACTS, mappings=MappingIndex([MappingRule(*mapping)]), default_assessment=default)
    decision = decide(with_candidate(facts, tags=tags))
    assert (decision.assessment_source, decision.assessment_written) == (source, written)
    decision = decide(replace(facts, chosen_assessment="id-backend"))
    assert (decision.assessment_source, decision.assessment_written) == ("choice", "id-backend")


SHOWN = frozenset(
    {
        (Category.DEPARTMENT, "Engineering"),
        (Category.LOCATION, "Berlin"),
        (Category.LOCATION, "New York"),
        (Category.COMMITMENT, "Full-time"),
    }
)
ENGINEERING, DESIGN = (Category.DEPARTMENT, " engineering"), (Category.DEPARTMENT, "Design")
BERLIN, NEW_YORK = (Category.LOCATION, "BERLIN"), (Category.LOCATION, "New  York")


def by_categories(*rules: tuple[str, str, tuple[tuple[Category, str], ...]], default: str = ""):
    """Return the decision on a candidate whose posting has SHOWN, with mappings for categories: stage, assessment."""
    mappings = [MappingRule("", stage, name, frozenset(categories)) for stage, name, categories in rules]
    facts = replace(FACTS, mappings=MappingIndex(mappings), default_assessment=default)
    return decide(with_candidate(facts, categories=SHOWN))


@pytest.mark.parametrize(
    ("rules", "default", "expected"),
    [
        ([("", "Backend", (ENGINEERING,))], "Frontend Developer", BACKEND),
        ([("", "Backend", (ENGINEERING, BERLIN)), ("", "Frontend Developer", (ENGINEERING,))], "", BACKEND),
        ([("", "Backend", (NEW_YORK,)), ("", "Frontend Developer", (DESIGN, BERLIN))], "", BACKEND),
        ([("", "Backend", (BERLIN, NEW_YORK))], "", BACKEND),
        ([("stage-1", "Backend", (BERLIN,)), ("", "Frontend Developer", (ENGINEERING,))], "", BACKEND),
        ([("Other", "Frontend Developer", (BERLIN, ENGINEERING)), ("", "Backend", (BERLIN,))], "", BACKEND),
        ([("", "Backend", (ENGINEERING,)), ("", "backend", (BERLIN,))], "", BACKEND),
        ([("", "Frontend Developer", (DESIGN,))], "Backend", BACKEND),
    ],
)
def test_the_mapping_with_the_most_categories_counts_before_the_default(rules, default, expected):
    assert by_categories(*rules, default=default).assessment == expected


def test_two_mappings_that_fit_equally_are_ambiguous():
    decision = by_categories(("", "Backend", (ENGINEERING,)), ("", "Frontend Developer", (BERLIN,)))
    assert decision.verdict == "ambiguous_assessment"
    assert "the mappings for Department  engineering and for Location BERLIN" in decision.explanation


@pytest.mark.parametrize(
    "rules",
    [{"approval": Approval.ALWAYS}, {"own_rules": (80, "On-site interview")}],
)
def test_two_mappings_that_fit_equally_are_ambiguous_when_they_differ_in_a_rule(rules):
    one = MappingRule("", "", "Backend", frozenset({ENGINEERING}))
    other = MappingRule("", "", "Backend", frozenset({BERLIN}), **rules)
    facts = with_candidate(replace(FACTS, mappings=MappingIndex([one, other])), categories=SHOWN)
    decision = decide(facts)
    assert decision.verdict == "ambiguous_assessment"
    assert "each with other rules for the same assessment: the mappings for" in decision.explanation
    alike = replace(other, approval=one.approval, own_rules=())
    assert decide(replace(facts, mappings=MappingIndex([one, alike]))).assessment == BACKEND


@pytest.mark.parametrize(
    ("rule", "tags", "source"),
    [
        (MappingRule("role-1", "", "Backend"), (), AssessmentSource.MAPPING_FOR_ROLE),
        (MappingRule("role-2", "", "Backend"), ("CodeScreen Backend",), AssessmentSource.TAG),
        (MappingRule("role-2", "", "Backend"), (), AssessmentSource.MAPPING_FOR_CATEGORIES),
    ],
)
def test_a_mapping_for_the_role_and_a_tag_come_before_categories(rule, tags, source):
    categories = MappingRule("", "", "Frontend Developer", frozenset({BERLIN}))
    facts = replace(FACTS, mappings=MappingIndex([categories, rule]), default_assessment="Backend")
    assert decide(with_candidate(facts, tags=tags, categories=SHOWN)).assessment_source == source


def test_a_posting_without_categories_has_no_mapping_for_categories():
    facts = replace(FACTS, mappings=MappingIndex([MappingRule("", "", "Backend", frozenset({BERLIN}))]))
    assert decide(facts).verdict == "no_assessment"
