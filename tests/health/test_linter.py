"""Findings on names that the platforms don't list, or that mean several assessments."""

from copy import copy
from types import SimpleNamespace
from typing import cast

import pytest
from django.utils import timezone

from integrations.catalog import lists
from integrations.catalog.models import Assessment, Role, RoleMapping, Stage
from integrations.codescreen.models import CodeScreenConnection
from integrations.health.linter import findings
from integrations.lever.client import LeverClient
from integrations.lever.lookups import PipelineStage
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization


@pytest.fixture
def acme(db) -> Organization:
    """A customer whose lists have been read: two assessments, one gone, one stage."""
    organization = Organization.objects.create(name="Acme", slug="acme")
    now = timezone.now()
    LeverConnection.objects.create(
        organization=organization, access_token="access", stages_refreshed_at=now, roles_refreshed_at=now
    )
    CodeScreenConnection.objects.create(
        organization=organization, api_key="key", state="connected", assessments_refreshed_at=now
    )
    for name in ("Backend", "Frontend"):
        Assessment.objects.create(organization=organization, external_id=name.lower(), name=name)
    Assessment.objects.create(organization=organization, external_id="old", name="Old Quiz", gone_at=now)
    Stage.objects.create(organization=organization, external_id="stage-1", name="CodeScreen Assessment")
    return organization


def role(title: str = "Engineer", *tags: str, state: str = "published", **categories: str) -> Role:
    """Return a role, not stored yet."""
    values = {category: [value] for category, value in categories.items()}
    return Role(external_id=f"id-{title}", title=title, state=state, tags=list(tags), categories=values)


def mapping(role: str = "Engineer", assessment: str = "Backend", **columns: object) -> RoleMapping:
    """Return a mapping, not stored yet."""
    return RoleMapping(role=role, assessment=assessment, **columns)


def store(organization: Organization, *rows: Role | RoleMapping | Stage) -> None:
    for row in rows:
        row.organization = organization
        row.save()


MISSPELT = role("Engineer", "CodeScreen Bakcend")
BERLIN = role("Engineer", department="Engineering", location="Berlin")
PARIS = role("Designer", department="Design", location="Paris")
SECOND = Stage(external_id="stage-2", name="CodeScreen Second")
TAKE_HOME = Stage(external_id="stage-2", name="Take-home")
UNKNOWN, AMBIGUOUS = "unknown_assessment", "ambiguous_assessment"

#: The rows, then the codes of the findings and words of each.
CASES: dict[str, tuple[list[Role | RoleMapping | Stage], dict[str, str]]] = {
    "all names are known": (
        [
            role("Engineer", "CodeScreen Backend", "CodeScreen: Candidate Invited", "remote"),
            mapping(stage="stage-1", assessment="frontend"),
        ],
        {},
    ),
    "a misspelt tag": ([MISSPELT], {UNKNOWN: "“CodeScreen Bakcend” on “Engineer”"}),
    "a misspelt tag has a suggestion": ([MISSPELT], {UNKNOWN: "Did you mean “Backend”?"}),
    "the role is mapped": ([MISSPELT, mapping()], {}),
    "it is mapped for the stage's id": ([MISSPELT, mapping(stage="stage-1")], {}),
    "it is mapped for the stage's name": ([MISSPELT, mapping(stage="codescreen assessment")], {}),
    "another CodeScreen stage uses the tag": (
        [MISSPELT, SECOND, mapping("Another", stage="stage-2"), mapping(stage="stage-1")],
        {UNKNOWN: "", "unknown_role": ""},
    ),
    "another stage doesn't use it": (
        [MISSPELT, TAKE_HOME, mapping("Another", stage="stage-2"), mapping(stage="stage-1")],
        {"unknown_role": ""},
    ),
    "the role is closed": ([role("Engineer", "CodeScreen Nonsense", state="closed")], {}),
    "two tags": (
        [role("Engineer", "CodeScreen Backend", "CodeScreen frontend")],
        {AMBIGUOUS: "“Backend”, “Frontend”"},
    ),
    "two tags and a mapping": (
        [role("Engineer", "CodeScreen Backend", "CodeScreen frontend"), mapping("id-Engineer")],
        {},
    ),
    "two mappings of a role": (
        [role(), mapping("id-Engineer"), mapping(assessment="Frontend")],
        {AMBIGUOUS: ""},
    ),
    "two mappings of a role for one assessment": ([role(), mapping("id-Engineer"), mapping()], {}),
    "two mappings with other rules each": (
        [role(), mapping("id-Engineer", passing_score=80), mapping()],
        {AMBIGUOUS: "other rules"},
    ),
    "two mappings for a stage, by id and name": (
        [
            role(),
            mapping(stage="stage-1"),
            mapping("engineer", stage="CodeScreen assessment", assessment="Frontend"),
        ],
        {AMBIGUOUS: ""},
    ),
    "a mapping for a role and a stage that aren't there": (
        [role("Engineer", "CodeScreen Backend"), mapping("Enginer", stage="CodeScreen Assesment")],
        {
            "unknown_role": "Did you mean “Engineer”?",
            "unknown_stage": "Did you mean “CodeScreen Assessment”?",
        },
    ),
    "categories that no posting has together": (
        [BERLIN, PARIS, mapping("", "Frontend", department="Design", location="Berlin")],
        {"unknown_role": "fits no posting in Lever."},
    ),
    "categories that a posting has": ([BERLIN, mapping("", department="engineering")], {}),
    "categories that fit equally": (
        [BERLIN, mapping("", department="Engineering"), mapping("", "Frontend", location="Berlin")],
        {AMBIGUOUS: "“Engineer” has several assessments"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_names_that_are_not_known_or_not_clear_are_found(acme: Organization, case: str) -> None:
    rows, expected = CASES[case]
    store(acme, *(copy(row) for row in rows))
    found: dict[str, str] = {finding.code: finding.message for finding in findings(acme)}
    assert set(found) == set(expected)
    assert [words for code, words in expected.items() if words not in found[code]] == [], found


def test_one_misspelt_tag_on_many_roles_is_one_finding(acme: Organization) -> None:
    store(acme, *(role(f"Engineer {number}", "CodeScreen Bakcend") for number in range(15)))
    found = findings(acme)
    assert [(one.code, one.level, one.page.url) for one in found] == [(UNKNOWN, "warning", "/mappings/")]
    assert "and 5 more" in found[0].message


def test_unknown_names_in_mappings_and_the_default_are_found(acme: Organization) -> None:
    store(acme, role("Engineer", "CodeScreen Backend"), mapping(assessment="Frontent"))
    acme.default_assessment = "Old Quiz"
    acme.save()
    messages = [finding.message for finding in findings(acme) if finding.code == "unknown_assessment"]
    assert "Did you mean “Frontend”?" in messages[0]
    assert "no longer in CodeScreen" in messages[1]


def test_a_renamed_stage_is_found_by_its_former_name(acme: Organization) -> None:
    lever = cast(LeverClient, SimpleNamespace(stages=lambda: [PipelineStage("stage-1", "Take-home")]))
    by_name = mapping(stage="CodeScreen Assessment")
    store(acme, role(), by_name)
    lists.refresh_stages(acme, lever)
    found = [finding.message for finding in findings(acme) if finding.code == "unknown_stage"]
    assert "It was renamed to “Take-home”" in found[0]
    assert "and no longer invites" in found[1]
    lists.refresh_stages(acme, lever)
    assert Stage.objects.get().former_name == "CodeScreen Assessment"
    by_name.stage = "Take-home"
    by_name.save()
    assert findings(acme) == []


def test_nothing_is_unknown_before_the_lists_were_read(db) -> None:
    organization = Organization.objects.create(name="New", slug="new", default_assessment="Anything")
    RoleMapping.objects.create(organization=organization, role="Any", stage="Any", assessment="Any")
    assert findings(organization) == []


def test_one_name_for_two_assessments_is_one_finding_and_not_ambiguous(acme: Organization) -> None:
    Assessment.objects.create(organization=acme, external_id="backend-2", name="backend ")
    Assessment.objects.filter(external_id="backend").update(name="Backend Test")
    Assessment.objects.filter(external_id="backend-2").update(name="Backend test")
    tagged = role("Engineer", "CodeScreen backend  TEST")
    store(acme, tagged, role("Other"), mapping("Other", "BACKEND TEST"))
    found = findings(acme)
    assert [finding.code for finding in found] == ["ambiguous_assessment"]
    assert "CodeScreen has 2 assessments called “Backend Test”" in found[0].message
    RoleMapping.objects.update(assessment="backend-2")
    Role.objects.update(tags=[])
    assert findings(acme) == []
