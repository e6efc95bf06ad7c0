"""Where candidates go who pass again and again, and which circles that makes."""

import pytest

from integrations.core.rules.facts import TriggerPolicy
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.rules.stages_on_pass import KnownStage, StagesOnPass
from integrations.core.vocabulary import Category

STAGES = [
    KnownStage("s-1", "CodeScreen One"),
    KnownStage("s-2", "CodeScreen Two"),
    KnownStage("s-3", "Take-home"),
    KnownStage("s-4", "On-site"),
]
ENGINEERING = frozenset({(Category.DEPARTMENT, "Engineering")})
BERLIN = ENGINEERING | {(Category.LOCATION, "Berlin")}


def row(stage, target, role="Engineer", categories=frozenset()):
    return MappingRule(role, stage, "Any", categories, stage_on_pass=target)


def circle(*rules, general=""):
    """Return the names of the stages of the circle that begins with the first rule."""
    index = MappingIndex(rules)
    on_pass = StagesOnPass(index, general, TriggerPolicy("CodeScreen", index.stages), STAGES)
    return [stage.name for stage in on_pass.circle_from(rules[0])]


@pytest.mark.parametrize(
    "rules",
    [
        (row("", ""),),
        (row("", "On-site"),),
        (row("CodeScreen One", "CodeScreen Two"),),
        (row("CodeScreen One", "CodeScreen Two"), row("CodeScreen Two", "Take-home"), row("s-3", "On-site")),
        (row("", "CodeScreen Two"), row("s-2", "On-site")),
        # another role's mapping holds for nobody of these
        (row("CodeScreen One", "CodeScreen Two"), row("CodeScreen Two", "CodeScreen One", role="Designer")),
        (row("CodeScreen One", "CodeScreen Nine"),),
    ],
)
def test_no_circle_results_when_the_stages_end(rules):
    assert circle(*rules) == []
    assert circle(*rules, general="On-site") == []


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ((row("CodeScreen One", "s-1"),), ["CodeScreen One", "CodeScreen One"]),
        ((row("", "CodeScreen Two"),), ["CodeScreen Two", "CodeScreen Two"]),
        (
            (row("CodeScreen One", "CodeScreen Two"), row("s-2", "codescreen one ")),
            ["CodeScreen One", "CodeScreen Two", "CodeScreen One"],
        ),
        (
            (row("s-1", "s-2"), row("s-2", "Take-home"), row("Take-home", "s-2")),
            ["CodeScreen Two", "Take-home", "CodeScreen Two"],
        ),
        (
            (row("s-1", "s-2", "", ENGINEERING), row("s-2", "s-1", "", ENGINEERING)),
            ["CodeScreen One", "CodeScreen Two", "CodeScreen One"],
        ),
        (
            (row("s-1", "s-2", "", BERLIN), row("", "s-1", "", ENGINEERING)),
            ["CodeScreen One", "CodeScreen Two", "CodeScreen One"],
        ),
    ],
)
def test_a_circle_is_found_with_its_stages(rules, names):
    assert circle(*rules) == names


def test_the_general_stage_is_part_of_a_circle_where_no_mapping_names_another():
    assert circle(row("s-1", "s-2"), general="s-1") == ["CodeScreen One", "CodeScreen Two", "CodeScreen One"]
