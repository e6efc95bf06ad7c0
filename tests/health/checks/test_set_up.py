"""Findings on trigger stages, roles and the stage on pass."""

import pytest

from integrations.catalog.models.platform_lists import Role, Stage
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.health.doctor import findings
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from tests.health.rows import code_and_level, only_finding


def test_no_trigger_stage_is_an_error_unless_a_mapping_names_one(healthy_organization: Organization) -> None:
    Stage.objects.update(name="Interview")
    assert code_and_level(healthy_organization) == ("no_trigger_stage", "error")
    RoleMapping.objects.update(stage="Interview")
    assert only_finding(healthy_organization).code == "ok"
    Stage.objects.all().delete()
    assert [finding.code for finding in findings(healthy_organization)] == ["unknown_stage"]


def test_no_mapping_and_no_tag_is_a_warning(healthy_organization: Organization) -> None:
    RoleMapping.objects.all().delete()
    assert code_and_level(healthy_organization) == ("no_roles_mapped", "warning")
    Role.objects.update(tags=["CodeScreen Backend"])
    assert only_finding(healthy_organization).code == "ok"


@pytest.mark.parametrize(
    ("written", "code", "words"),
    [
        ("Phone sceen", "unknown_stage_on_pass", "Did you mean “Phone screen”?"),
        ("stage-1", "stage_on_pass_invites", "Entering “CodeScreen Assessment” sends an assessment"),
    ],
)
def test_an_unusable_stage_on_pass_is_an_error(
    healthy_organization: Organization, written: str, code: str, words: str
) -> None:
    Stage.objects.create(organization=healthy_organization, external_id="stage-2", name="Phone screen")
    Organization.objects.filter(pk=healthy_organization.pk).update(stage_on_pass=written)
    finding = only_finding(healthy_organization)
    assert (finding.code, finding.level, finding.page.url) == (code, "error", "/settings/rules/results/")
    assert words in finding.message
    assert "Nobody is moved" in finding.message


def test_a_stage_on_pass_that_lever_lists_is_no_finding(healthy_organization: Organization) -> None:
    Stage.objects.create(organization=healthy_organization, external_id="stage-2", name="Phone screen")
    Organization.objects.filter(pk=healthy_organization.pk).update(stage_on_pass=" phone  SCREEN")
    assert only_finding(healthy_organization).code == "ok"


def test_a_stage_on_pass_is_not_called_unknown_before_the_stages_were_read(
    healthy_organization: Organization,
) -> None:
    LeverConnection.objects.update(stages_refreshed_at=None)
    Organization.objects.filter(pk=healthy_organization.pk).update(stage_on_pass="Anything")
    assert only_finding(healthy_organization).code == "ok"


def test_a_circle_of_stages_on_pass_is_an_error(healthy_organization: Organization) -> None:
    Stage.objects.create(organization=healthy_organization, external_id="stage-2", name="CodeScreen Two")
    own = {"organization": healthy_organization, "role": "Any", "assessment": "Backend"}
    RoleMapping.objects.create(**own, stage="stage-1", stage_on_pass="CodeScreen Two")
    assert "stage_on_pass_invites" not in {one.code for one in findings(healthy_organization)}
    RoleMapping.objects.create(**own, stage="stage-2", stage_on_pass="stage-1")
    found = [one for one in findings(healthy_organization) if one.code == "stage_on_pass_invites"]
    assert "in the mapping for “Any”" in found[0].fix
    assert "“CodeScreen Assessment” → “CodeScreen Two” → “CodeScreen Assessment”" in "".join(
        one.message for one in found
    )
