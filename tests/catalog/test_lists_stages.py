"""Trigger stages, read from an organization's rows."""

import pytest
from django.utils import timezone

from integrations.catalog.lists import trigger_policy, trigger_stages
from integrations.catalog.models import RoleMapping, Stage
from integrations.organizations.models.organization import Organization


@pytest.fixture
def acme(db) -> Organization:
    organization = Organization.objects.create(name="Acme", slug="acme")
    for position, name in enumerate(["Take-home", "codescreen Assessment", "Offer", "CodeScreen Old"]):
        Stage.objects.create(
            organization=organization, external_id=f"stage-{position}", name=name, position=position
        )
    Stage.objects.filter(name="CodeScreen Old").update(gone_at=timezone.now())
    RoleMapping.objects.create(organization=organization, role="Engineer", stage="", assessment="Backend")
    RoleMapping.objects.create(organization=organization, role="Nurse", stage="stage-0", assessment="Backend")
    return organization


def test_trigger_stages_are_those_with_the_prefix_and_those_that_a_mapping_names(acme: Organization) -> None:
    assert [stage.name for stage in trigger_stages(acme)] == ["codescreen Assessment", "Take-home"]


def test_the_policy_ignores_mappings_of_other_organizations(acme: Organization) -> None:
    globex = Organization.objects.create(name="Globex", slug="globex", stage_prefix="Quiz")
    RoleMapping.objects.create(organization=globex, role="Any", stage="Offer", assessment="Backend")
    assert not trigger_policy(acme).is_trigger("stage-2", "Offer")
    assert trigger_policy(globex).is_trigger("stage-2", "Offer")
    assert not trigger_policy(globex).is_trigger("stage-1", "codescreen Assessment")
