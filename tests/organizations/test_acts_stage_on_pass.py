"""The stage on pass and the stage prefix are refused when a move would invite the candidate again."""

import pytest
from django.core.exceptions import ValidationError

from integrations.catalog import lists
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.clients import provider
from integrations.organizations.models.organization import Organization

TARGET = "Phone screen"
FROM = "CodeScreen Assessment"


@pytest.mark.parametrize("written", [FROM, "codescreen", "  CODESCREEN  round two", "id"])
def test_a_stage_on_pass_is_refused_when_it_would_invite(scenario, sandbox, written):
    lists.refresh_stages(scenario.organization, provider.lever_client(scenario.organization))
    with pytest.raises(ValidationError) as raised:
        scenario.set_policies(stage_on_pass=sandbox.stage_id(FROM) if written == "id" else written)
    assert "sends an assessment" in raised.value.message_dict["stage_on_pass"][0]


def test_a_stage_on_pass_is_refused_when_a_mapping_names_it(scenario):
    RoleMapping.objects.create(
        organization=scenario.organization, role="Backend Engineer", stage=TARGET, assessment="Backend"
    )
    with pytest.raises(ValidationError):
        scenario.set_policies(stage_on_pass=TARGET)


def test_a_stage_prefix_is_refused_when_it_would_make_the_stage_on_pass_invite(scenario):
    scenario.set_policies(stage_on_pass=TARGET)
    with pytest.raises(ValidationError):
        scenario.set_policies(stage_prefix="Phone")


def test_a_stage_prefix_may_change_when_a_mapping_is_why_the_stage_on_pass_invites(scenario):
    scenario.set_policies(stage_on_pass=TARGET)
    RoleMapping.objects.create(
        organization=scenario.organization, role="Backend Engineer", stage=TARGET, assessment="Backend"
    )
    scenario.set_policies(stage_prefix="Assessment")
    assert Organization.objects.get(pk=scenario.organization.pk).stage_prefix == "Assessment"
