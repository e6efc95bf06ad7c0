"""The mappings and assessments of a file: stored, exported, read back and taken away."""

import pytest

from integrations.catalog.models import RoleMapping
from tests.management.test_configure import WHOLE, exported

pytestmark = pytest.mark.django_db


CATEGORIES = """
[[mappings]]
department = "Engineering"
location = "Berlin"
assessment = "Backend"
[[mappings]]
department = "Berlin"
assessment = "Frontend"
"""


def test_mappings_for_categories_are_stored_exported_and_read_back(configure) -> None:
    output = configure(WHOLE + CATEGORIES)
    assert 'mapping "Department Engineering · Location Berlin" × any CodeScreen stage' in output
    mapping = RoleMapping.objects.get(department="Engineering")
    assert (mapping.role, mapping.location, mapping.assessment) == ("", "Berlin", "Backend")
    assert 'department = "Engineering"\nlocation = "Berlin"\nassessment = "Backend"' in exported()
    assert configure(WHOLE + CATEGORIES).startswith("nothing to change\n")


OWN_RULES = """
[[mappings]]
role = "Data Engineer"
assessment = "Backend"
approval = "always"
passing_score = 0
stage_on_pass = "Phone screen"
"""


def test_own_rules_of_a_mapping_are_stored_exported_and_left_to_the_policies_again(configure) -> None:
    output = configure(WHOLE + OWN_RULES)
    assert '~ mapping "Data Engineer" × any CodeScreen stage approval: "" → "always"' in output
    assert '+ mapping "Data Engineer" × any CodeScreen stage passing_score: 0' in output
    mapping = RoleMapping.objects.get(role="Data Engineer")
    assert (mapping.approval, mapping.passing_score, mapping.stage_on_pass) == ("always", 0, "Phone screen")
    assert all(line in exported() for line in OWN_RULES.strip().splitlines())
    assert configure(WHOLE + OWN_RULES).startswith("nothing to change\n")
    emptied = OWN_RULES.replace("= 0", '= ""').replace('"always"', '""')
    output = configure(WHOLE + emptied)
    assert '- mapping "Data Engineer" × any CodeScreen stage passing_score: 0' in output
    mapping.refresh_from_db()
    assert (mapping.approval, mapping.passing_score, mapping.stage_on_pass) == ("", None, "Phone screen")
    assert "passing_score" not in exported().split('role = "Data Engineer"')[1]
