"""Role mappings found by role, and the stages that may lead to an invitation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core.rules.facts import CandidateSnapshot, TriggerPolicy
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.rules.names import is_named
from integrations.core.vocabulary import Category

written_roles = st.sampled_from(
    ["role-1", " role-1", "ROLE-1", "Backend Engineer", "backend  engineer ", "", " "]
)
role_ids = st.sampled_from(["role-1", "role-2", ""])
role_titles = st.sampled_from(["Backend Engineer", "BACKEND engineer", "role-1", "Designer", "", " "])


@given(st.lists(written_roles, max_size=6), role_ids, role_titles)
def test_rules_for_a_role_are_those_that_name_its_id_or_title_in_their_order(written, role_id, role_title):
    rules = [MappingRule(role, "", f"Assessment {number}") for number, role in enumerate(written)]
    expected = [rule for rule in rules if is_named(rule.role, role_id, role_title)]
    assert MappingIndex(rules).for_role(role_id, role_title) == expected


# which stages may lead to an invitation


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
def test_a_stage_has_the_prefix_whatever_its_case_and_spaces(name, prefix, expected):
    assert TriggerPolicy(prefix).has_prefix(name) is expected


BERLIN = (Category.LOCATION, "Berlin")
MAPPINGS = MappingIndex(
    [
        MappingRule("Backend Engineer", "Take-Home", "Backend"),
        MappingRule("role-1", " stage-3 ", "Backend"),
        MappingRule("", "stage-4", "Backend", frozenset({BERLIN})),
        MappingRule("Designer", "  ", "Backend"),
    ]
)
BACKEND = CandidateSnapshot("", "", "role-1", "Backend Engineer", frozenset({BERLIN}))
DESIGNER = CandidateSnapshot("", "", "role-2", "Designer")


@pytest.mark.parametrize(
    ("stage_id", "stage_name", "of_anybody", "of_backend"),
    [
        ("stage-1", "CodeScreen Assessment", True, True),
        ("stage-2", "take-home ", True, True),
        ("stage-3", "Phone screen", True, True),
        ("stage-4", "On-site", True, True),
        ("STAGE-3", "Phone screen", False, False),
        ("stage-5", "", False, False),
        ("", "", False, False),
    ],
)
def test_a_stage_outside_the_prefix_is_a_trigger_for_whom_a_mapping_names_with_it(
    stage_id, stage_name, of_anybody, of_backend
):
    policy = TriggerPolicy("CodeScreen", MAPPINGS)
    assert policy.is_trigger(stage_id, stage_name) is of_anybody
    assert policy.is_trigger(stage_id, stage_name, BACKEND) is of_backend
    of_designer = policy.is_trigger(stage_id, stage_name, DESIGNER)
    assert of_designer is policy.has_prefix(stage_name)
