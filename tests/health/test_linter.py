"""Findings on names that the platforms don't list, ambiguous names, duplicates and roles without an assessment."""

import pytest
from django.utils import timezone

from integrations.catalog.models.platform_lists import Assessment, Role, Stage
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import AssessmentSource
from integrations.health.linter import findings
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from tests.support import factories


@pytest.fixture
def acme(db) -> Organization:
    """A customer whose lists have been read: two assessments, one gone, one stage."""
    organization = Organization.objects.create(name="Acme", slug="acme")
    now = timezone.now()
    LeverConnection.objects.create(
        organization=organization, access_token="access", stages_refreshed_at=now, roles_refreshed_at=now
    )
    CodeScreenConnection.objects.create(
        organization=organization, api_key="key", assessments_refreshed_at=now
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


@pytest.mark.parametrize("other_stage", ["CodeScreen Second", "Take-home"])
def test_a_misspelt_tag_stays_a_finding_when_another_stage_uses_it(
    acme: Organization, other_stage: str
) -> None:
    create_role(acme, "Engineer", "CodeScreen Bakcend")
    Stage.objects.create(organization=acme, external_id="stage-2", name=other_stage)
    RoleMapping.objects.create(organization=acme, role="Another", stage="stage-2", assessment="Backend")
    RoleMapping.objects.create(organization=acme, role="Engineer", stage="stage-1", assessment="Backend")
    assert "“CodeScreen Bakcend”" in messages_by_code(acme)["unknown_assessment"]


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


def test_open_roles_without_an_assessment_are_one_finding(acme: Organization) -> None:
    create_role(acme, "Engineer", "CodeScreen Backend")
    create_role(acme, "Nurse", state="internal")
    create_role(acme, "Pilot", state="closed")
    found = messages_by_code(acme)
    assert "“Nurse”" in found["role_without_assessment"]
    assert "Pilot" not in found["role_without_assessment"]
    acme.default_assessment = "Backend"
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
    found = [finding for finding in findings(acme) if finding.code != "role_without_assessment"]
    assert [finding.code for finding in found] == ["duplicate_assessment"]
    assert "CodeScreen has 2 assessments called “Backend Test”" in found[0].message
    RoleMapping.objects.update(assessment="backend-2")
    Role.objects.update(tags=[])
    assert "duplicate_assessment" not in messages_by_code(acme)


def test_the_same_mapping_in_other_words_is_a_duplicate(acme: Organization) -> None:
    create_role(acme, "Engineer")
    RoleMapping.objects.create(organization=acme, role="Engineer", assessment="Backend")
    assert findings(acme) == []
    RoleMapping.objects.create(organization=acme, role="id-Engineer", assessment="backend")
    finding = findings(acme)[0]
    assert (finding.code, finding.level) == ("duplicate_mapping", "info")
    assert "assessment: “Engineer”, “id-Engineer”" in finding.message


def test_a_title_that_open_roles_share_is_found_when_it_is_mapped(acme: Organization) -> None:
    for number in (1, 2):
        Role.objects.create(
            organization=acme,
            external_id=f"twin-{number}",
            title="Engineer",
            state="published",
            tags=["CodeScreen Backend"],
        )
    assert findings(acme) == []
    RoleMapping.objects.create(organization=acme, role="engineer", assessment="Backend")
    assert "2 open roles are called “Engineer”" in messages_by_code(acme)["duplicate_role"]


def create_invitation_by_tag(organization: Organization, number: int, assessment: str = "Backend") -> None:
    """Record that a candidate of “Engineer” was invited by a tag."""
    invitation: Invitation = factories.InvitationFactory.create(
        organization=organization,
        role_id="id-Engineer",
        role_title="Engineer",
        assessment_id=assessment.lower(),
        assessment_name=assessment,
    )
    factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id=f"own-{number}",
        invitation=invitation,
        verdict="invite",
        assessment_source=AssessmentSource.TAG,
        assessment_written=assessment,
        decided_at=timezone.now(),
        due_at=None,
    )


def test_tags_on_candidates_that_their_role_lacks_are_found(acme: Organization) -> None:
    role = create_role(acme, "Engineer", "CodeScreen Frontend")
    for number in (1, 2):
        create_invitation_by_tag(acme, number)
    finding = findings(acme)[0]
    assert (finding.code, finding.level) == ("candidate_tag_alone", "info")
    assert "“CodeScreen Backend” is on 2 candidates of “Engineer” but not on the role" in finding.message
    assert "get no assessment" in finding.message
    role.tags = ["CodeScreen  backend"]
    role.save()
    assert findings(acme) == []


def test_a_tag_that_the_role_has_or_a_mapping_overrides_is_no_finding(acme: Organization) -> None:
    create_role(acme, "Engineer")
    RoleMapping.objects.create(organization=acme, role="Engineer", assessment="Frontend")
    create_invitation_by_tag(acme, 1)
    assert findings(acme) == []


def categorized(organization: Organization, title: str, *tags: str, **categories: str) -> Role:
    role = create_role(organization, title, *tags)
    role.categories = {category: [value] for category, value in categories.items()}
    role.save()
    return role


def test_a_mapping_for_categories_that_no_posting_has_is_found_with_a_suggestion(acme: Organization) -> None:
    categorized(acme, "Engineer", department="Engineering", location="Berlin")
    RoleMapping.objects.create(organization=acme, department="Enginering", assessment="Backend")
    message = messages_by_code(acme)["unmatched_mapping"]
    assert message.startswith("The mapping for “Department Enginering” fits no posting in Lever.")
    assert message.endswith("Did you mean “Department Engineering”?")


def test_categories_that_no_posting_has_together_are_found(acme: Organization) -> None:
    categorized(acme, "Engineer", department="Engineering", location="Berlin")
    categorized(acme, "Designer", department="Design", location="Paris")
    RoleMapping.objects.create(
        organization=acme, department="Design", location="Berlin", assessment="Frontend"
    )
    assert messages_by_code(acme)["unmatched_mapping"].endswith("fits no posting in Lever.")


def test_a_mapping_for_categories_gives_its_roles_an_assessment(acme: Organization) -> None:
    categorized(acme, "Engineer", department="Engineering")
    RoleMapping.objects.create(organization=acme, department="engineering", assessment="Backend")
    assert findings(acme) == []


@pytest.mark.parametrize(
    "first", [{"role": "Engineer"}, {"department": "Engineering", "location": "Berlin"}, {}]
)
def test_a_mapping_for_categories_is_hidden_where_another_counts_first(
    acme: Organization, first: dict[str, str]
) -> None:
    tags = () if first else ("CodeScreen Frontend",)
    categorized(acme, "Engineer", *tags, department="Engineering", location="Berlin")
    RoleMapping.objects.create(organization=acme, department="Engineering", assessment="Backend")
    if first:
        RoleMapping.objects.create(organization=acme, assessment="Frontend", **first)
    found = findings(acme)
    assert [(one.code, one.level) for one in found] == [("hidden_mapping", "info")]
    assert "“Department Engineering” is never used: for “Engineer”" in found[0].message


def test_mappings_for_categories_that_fit_equally_are_ambiguous(acme: Organization) -> None:
    categorized(acme, "Engineer", department="Engineering", location="Berlin")
    RoleMapping.objects.create(organization=acme, department="Engineering", assessment="Backend")
    RoleMapping.objects.create(organization=acme, location="Berlin", assessment="Frontend")
    assert "“Engineer” has several assessments" in messages_by_code(acme)["ambiguous_assessment"]


def test_unknown_names_among_several_assessments_and_the_next_are_found(acme: Organization) -> None:
    create_role(acme, "Engineer")
    RoleMapping.objects.create(
        organization=acme,
        role="Engineer",
        assessment="Backend",
        also_assessments=["Fronted"],
        next_assessment="Designs",
    )
    found = [one.message for one in findings(acme) if one.code == "unknown_assessment"]
    assert ["“Fronted”" in found[0], "“Designs”" in found[1]] == [True, True]
