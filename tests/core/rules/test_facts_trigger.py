"""Which stages may lead to an invitation."""

import pytest

from integrations.core.rules.facts import CandidateSnapshot, TriggerPolicy
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.vocabulary import Category


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
