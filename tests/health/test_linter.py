"""Findings on names that the platforms don't list, or that mean several assessments."""

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


def create_role(organization: Organization, title: str, *tags: str, state: str = "published") -> Role:
    return Role.objects.create(
        organization=organization, external_id=f"id-{title}", title=title, state=state, tags=list(tags)
    )


def messages_by_code(organization: Organization) -> dict[str, str]:
    return {finding.code: finding.message for finding in findings(organization)}


def test_no_finding_when_all_names_are_known(acme: Organization) -> None:
    create_role(acme, "Engineer", "CodeScreen Backend", "CodeScreen: Candidate Invited", "remote")
    RoleMapping.objects.create(organization=acme, role="Engineer", stage="stage-1", assessment="frontend")
    assert findings(acme) == []


def test_a_misspelt_tag_is_found_with_a_suggestion(acme: Organization) -> None:
    create_role(acme, "Engineer", "CodeScreen Bakcend")
    finding = findings(acme)[0]
    assert (finding.code, finding.level, finding.page.url) == ("unknown_assessment", "warning", "/mappings/")
    assert "“CodeScreen Bakcend” on “Engineer”" in finding.message
    assert "Did you mean “Backend”?" in finding.message


@pytest.mark.parametrize("stage", ["", "stage-1", "codescreen assessment"])
def test_a_misspelt_tag_is_no_finding_once_the_role_is_mapped(acme: Organization, stage: str) -> None:
    create_role(acme, "Engineer", "CodeScreen Bakcend")
    RoleMapping.objects.create(organization=acme, role="Engineer", stage=stage, assessment="Backend")
    assert findings(acme) == []


@pytest.mark.parametrize(("other_stage", "is_found"), [("CodeScreen Second", True), ("Take-home", False)])
def test_a_misspelt_tag_stays_a_finding_when_another_codescreen_stage_uses_it(
    acme: Organization, other_stage: str, is_found: bool
) -> None:
    create_role(acme, "Engineer", "CodeScreen Bakcend")
    Stage.objects.create(organization=acme, external_id="stage-2", name=other_stage)
    RoleMapping.objects.create(organization=acme, role="Another", stage="stage-2", assessment="Backend")
    RoleMapping.objects.create(organization=acme, role="Engineer", stage="stage-1", assessment="Backend")
    assert ("unknown_assessment" in messages_by_code(acme)) is is_found


def test_mappings_that_name_one_assessment_with_other_rules_each_are_found(acme: Organization) -> None:
    role = create_role(acme, "Engineer")
    RoleMapping.objects.create(organization=acme, role="Engineer", assessment="Backend")
    by_id = RoleMapping.objects.create(organization=acme, role=role.external_id, assessment="Backend")
    assert findings(acme) == []
    by_id.passing_score = 80
    by_id.save()
    assert "other rules" in messages_by_code(acme)["ambiguous_assessment"]


def test_one_misspelt_tag_on_many_roles_is_one_finding(acme: Organization) -> None:
    for number in range(15):
        create_role(acme, f"Engineer {number}", "CodeScreen Bakcend")
    found = findings(acme)
    assert len(found) == 1
    assert "and 5 more" in found[0].message


def test_tags_of_closed_roles_are_ignored(acme: Organization) -> None:
    create_role(acme, "Engineer", "CodeScreen Nonsense", state="closed")
    assert findings(acme) == []


def test_unknown_names_in_mappings_and_the_default_are_found(acme: Organization) -> None:
    create_role(acme, "Engineer", "CodeScreen Backend")
    RoleMapping.objects.create(organization=acme, role="Engineer", assessment="Frontent")
    acme.default_assessment = "Old Quiz"
    acme.save()
    messages = [finding.message for finding in findings(acme) if finding.code == "unknown_assessment"]
    assert "Did you mean “Frontend”?" in messages[0]
    assert "no longer in CodeScreen" in messages[1]


def test_several_assessments_for_one_role_are_ambiguous(acme: Organization) -> None:
    create_role(acme, "Engineer", "CodeScreen Backend", "CodeScreen frontend")
    assert "“Backend”, “Frontend”" in messages_by_code(acme)["ambiguous_assessment"]
    RoleMapping.objects.create(organization=acme, role="id-Engineer", assessment="Backend")
    assert findings(acme) == []
    RoleMapping.objects.create(organization=acme, role="Engineer", assessment="Frontend")
    assert "ambiguous_assessment" in messages_by_code(acme)


def test_mappings_by_stage_name_and_id_are_the_same_stage(acme: Organization) -> None:
    create_role(acme, "Engineer")
    RoleMapping.objects.create(organization=acme, role="Engineer", stage="stage-1", assessment="Backend")
    RoleMapping.objects.create(
        organization=acme, role="engineer", stage="CodeScreen assessment", assessment="Frontend"
    )
    assert list(messages_by_code(acme)) == ["ambiguous_assessment"]


def test_unknown_roles_and_stages_of_mappings_are_found_with_suggestions(acme: Organization) -> None:
    create_role(acme, "Engineer", "CodeScreen Backend")
    RoleMapping.objects.create(
        organization=acme, role="Enginer", stage="CodeScreen Assesment", assessment="Backend"
    )
    found = messages_by_code(acme)
    assert "Did you mean “Engineer”?" in found["unknown_role"]
    assert "Did you mean “CodeScreen Assessment”?" in found["unknown_stage"]


def test_a_renamed_stage_is_found_by_its_former_name(acme: Organization) -> None:
    lever = cast(LeverClient, SimpleNamespace(stages=lambda: [PipelineStage("stage-1", "Take-home")]))
    create_role(acme, "Engineer")
    mapping = RoleMapping.objects.create(
        organization=acme, role="Engineer", stage="CodeScreen Assessment", assessment="Backend"
    )
    lists.refresh_stages(acme, lever)
    found = [finding.message for finding in findings(acme) if finding.code == "unknown_stage"]
    assert "It was renamed to “Take-home”" in found[0]
    assert "and no longer invites" in found[1]
    lists.refresh_stages(acme, lever)
    assert Stage.objects.get().former_name == "CodeScreen Assessment"
    mapping.stage = "Take-home"
    mapping.save()
    assert findings(acme) == []


def test_nothing_is_unknown_before_the_lists_were_read(db) -> None:
    organization = Organization.objects.create(name="New", slug="new", default_assessment="Anything")
    RoleMapping.objects.create(organization=organization, role="Any", stage="Any", assessment="Any")
    assert findings(organization) == []


def test_one_name_for_two_assessments_is_one_finding_and_not_ambiguous(acme: Organization) -> None:
    Assessment.objects.create(organization=acme, external_id="backend-2", name="backend ")
    Assessment.objects.filter(external_id="backend").update(name="Backend Test")
    Assessment.objects.filter(external_id="backend-2").update(name="Backend test")
    create_role(acme, "Engineer", "CodeScreen backend  TEST")
    RoleMapping.objects.create(organization=acme, role="Other", assessment="BACKEND TEST")
    create_role(acme, "Other")
    found = findings(acme)
    assert [finding.code for finding in found] == ["ambiguous_assessment"]
    assert "CodeScreen has 2 assessments called “Backend Test”" in found[0].message
    RoleMapping.objects.update(assessment="backend-2")
    Role.objects.update(tags=[])
    assert findings(acme) == []


def categorized(organization: Organization, title: str, *tags: str, **categories: str) -> Role:
    role = create_role(organization, title, *tags)
    role.categories = {category: [value] for category, value in categories.items()}
    role.save()
    return role


def test_categories_that_no_posting_has_together_are_found(acme: Organization) -> None:
    categorized(acme, "Engineer", department="Engineering", location="Berlin")
    categorized(acme, "Designer", department="Design", location="Paris")
    RoleMapping.objects.create(
        organization=acme, department="Design", location="Berlin", assessment="Frontend"
    )
    assert messages_by_code(acme)["unknown_role"].endswith("fits no posting in Lever.")


def test_a_mapping_for_categories_gives_its_roles_an_assessment(acme: Organization) -> None:
    categorized(acme, "Engineer", department="Engineering")
    RoleMapping.objects.create(organization=acme, department="engineering", assessment="Backend")
    assert findings(acme) == []


def test_mappings_for_categories_that_fit_equally_are_ambiguous(acme: Organization) -> None:
    categorized(acme, "Engineer", department="Engineering", location="Berlin")
    RoleMapping.objects.create(organization=acme, department="Engineering", assessment="Backend")
    RoleMapping.objects.create(organization=acme, location="Berlin", assessment="Frontend")
    assert "“Engineer” has several assessments" in messages_by_code(acme)["ambiguous_assessment"]
