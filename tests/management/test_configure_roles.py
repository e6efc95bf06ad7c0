"""The mappings and assessments of a file: stored, exported, read back and taken away."""

import pytest

from integrations.catalog.models.role_mapping import AssessmentRules, RoleMapping
from integrations.configuration.file import dump
from integrations.organizations.models.organization import Organization
from tests.management.test_configure import WHOLE, exported

pytestmark = pytest.mark.django_db


def test_thresholds_of_an_assessment_are_stored_exported_and_removed(configure) -> None:
    configure(WHOLE)
    head = '[organization]\nslug = "acme"\n[[assessments]]\nname = "Backend"\n'
    first = head + "rating_thresholds = [40, 60, 90]\n"
    assert configure(first).splitlines() == ['+ assessment "Backend" rating_thresholds: [40, 60, 90]']
    assert configure(first) == "nothing to change\n"
    exported = dump(Organization.objects.get())
    assert '[[assessments]]\nname = "Backend"\nrating_thresholds = [40, 60, 90]\n' in exported
    assert configure(exported).startswith("nothing to change\n")
    assert configure(head + "rating_thresholds = [40, 70, 90]\n").splitlines() == [
        '~ assessment "Backend" rating_thresholds: [40, 60, 90] → [40, 70, 90]'
    ]
    assert configure(head + "rating_thresholds = []\n").splitlines() == [
        '- assessment "Backend" rating_thresholds: [40, 70, 90]'
    ]
    assert not AssessmentRules.objects.exists()


CATEGORIES = """
[[mappings]]
department = "Engineering"
location = "Berlin"
assessment = "Backend"
[[mappings]]
department = "Berlin"
assessment = "Frontend"
"""


def test_a_bar_and_days_of_an_assessment_are_stored_exported_and_taken_away(configure) -> None:
    rules = '[[assessments]]\nname = "Backend"\npassing_score = 0\n'
    output = configure(WHOLE + rules)
    assert '+ assessment "Backend" passing_score: 0' in output
    assert rules in exported()
    assert configure(WHOLE + rules).startswith("nothing to change\n")
    output = configure(WHOLE + rules.replace("= 0", '= ""'))
    assert '- assessment "Backend" passing_score: 0' in output
    assert not AssessmentRules.objects.exists()


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
reentry_days = 30
passing_score = 0
stage_on_pass = "Phone screen"
origins = { agency = "hold" }
"""


def test_own_rules_of_a_mapping_are_stored_exported_and_left_to_the_policies_again(configure) -> None:
    output = configure(WHOLE + OWN_RULES)
    assert '~ mapping "Data Engineer" × any CodeScreen stage approval: "" → "always"' in output
    assert '+ mapping "Data Engineer" × any CodeScreen stage passing_score: 0' in output
    mapping = RoleMapping.objects.get(role="Data Engineer")
    assert (mapping.approval, mapping.reentry_days, mapping.passing_score) == ("always", 30, 0)
    assert all(line in exported() for line in OWN_RULES.strip().splitlines())
    assert configure(WHOLE + OWN_RULES).startswith("nothing to change\n")
    emptied = OWN_RULES.replace("= 30", '= ""').replace('"always"', '""')
    output = configure(WHOLE + emptied)
    assert '- mapping "Data Engineer" × any CodeScreen stage reentry_days: 30' in output
    mapping.refresh_from_db()
    assert (mapping.approval, mapping.reentry_days, mapping.passing_score) == ("", None, 0)
    assert "reentry_days" not in exported().split('role = "Data Engineer"')[1]
