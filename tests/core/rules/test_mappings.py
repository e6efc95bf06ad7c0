"""Role mappings found by role: the index gives what a comparison with every rule would."""

from hypothesis import given
from hypothesis import strategies as st

from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.rules.names import is_named

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


def test_stages_are_those_that_a_rule_names():
    rules = [
        MappingRule("a", " Take-home ", "x"),
        MappingRule("b", "", "x"),
        MappingRule("c", "Take-home", "y"),
    ]
    assert MappingIndex(rules).stages == {"Take-home"}
