"""Which stages may lead to an invitation."""

import pytest

from integrations.core.rules.facts import TriggerPolicy


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


@pytest.mark.parametrize(
    ("stage_id", "stage_name", "expected"),
    [
        ("stage-1", "CodeScreen Assessment", True),
        ("stage-2", "take-home ", True),
        ("stage-3", "Phone screen", True),
        ("STAGE-3", "Phone screen", False),
        ("stage-4", "", False),
        ("", "", False),
    ],
)
def test_a_stage_is_a_trigger_when_it_has_the_prefix_or_a_mapping_names_it(stage_id, stage_name, expected):
    policy = TriggerPolicy("CodeScreen", frozenset({"Take-Home", " stage-3 ", "  "}))
    assert policy.is_trigger(stage_id, stage_name) is expected
