"""Findings on trigger stages, roles and the stage on pass."""

from integrations.catalog.models import Role, RoleMapping, Stage
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


def test_a_stage_on_pass_that_lever_does_not_have_is_an_error(healthy_organization: Organization) -> None:
    Stage.objects.create(organization=healthy_organization, external_id="stage-2", name="Phone screen")
    Organization.objects.filter(pk=healthy_organization.pk).update(stage_on_pass="Phone sceen")
    finding = only_finding(healthy_organization)
    assert (finding.code, finding.level) == ("unknown_stage_on_pass", "error")
    assert finding.page.url == "/settings/rules/#results"
    assert "Did you mean “Phone screen”?" in finding.message


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
