"""Policies are saved whole, or not at all with the reason."""

import pytest
from django.urls import reverse

from integrations.models import AuditEntry, Organization, Stage

URL = "/settings/policies/"
SAME = {
    "stage_prefix": "CodeScreen",
    "default_assessment": "",
    "note_on_skip": "on",
    "bulk_limit": "50",
    "bulk_window": "10",
    "rating_2_from": "25",
    "rating_3_from": "50",
    "rating_4_from": "75",
    "rating_follows_result": "on",
}


def test_an_admin_changes_policies_and_it_is_recorded(organization_admin_client, organization):
    organization_admin_client.post(URL, SAME | {"bulk_limit": "5", "paused": "on"})
    stored = Organization.objects.get(pk=organization.pk)
    assert (stored.bulk_limit, stored.paused) == (5, True)
    assert AuditEntry.objects.get(organization=organization).changes == {
        "bulk_limit": [50, 5],
        "paused": [False, True],
    }


def test_unchanged_policies_are_not_recorded(organization_admin_client, organization):
    answer = organization_admin_client.post(URL, SAME, follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"rating_2_from": "80"}, "must rise"),
        ({"bulk_window": "0"}, "greater than or equal to 1"),
        ({"rating_4_from": "101"}, "less than or equal to 100"),
        ({"stage_prefix": ""}, "required"),
    ],
)
def test_invalid_policies_are_rejected_with_the_reason(
    organization_admin_client, organization, wrong, reason
):
    answer = organization_admin_client.post(URL, SAME | wrong | {"bulk_limit": "7"})
    assert reason in answer.content.decode()
    assert Organization.objects.get(pk=organization.pk).bulk_limit == 50


def test_a_team_member_may_not(team_member_client, organization):
    assert team_member_client.post(reverse("policies"), SAME | {"paused": "on"}).status_code == 403
    assert not Organization.objects.get(pk=organization.pk).paused


def test_the_stage_on_pass_and_the_hold_are_saved(organization_admin_client, ready_organization):
    organization_admin_client.post(URL, SAME | {"passed_stage": "Phone screen", "hold_failed": "on"})
    stored = Organization.objects.get(pk=ready_organization.pk)
    assert (stored.passed_stage, stored.hold_failed) == ("Phone screen", True)
    assert AuditEntry.objects.get(organization=ready_organization).changes == {
        "passed_stage": ["", "Phone screen"],
        "hold_failed": [False, True],
    }


def test_a_trigger_stage_as_stage_on_pass_is_rejected_at_its_field(
    organization_admin_client, ready_organization
):
    answer = organization_admin_client.post(URL, SAME | {"passed_stage": "stage-codescreen"})
    errors = answer.context["policies_form"].errors["passed_stage"]
    assert "Entering “CodeScreen Assessment” sends an assessment" in errors[0]
    assert Organization.objects.get(pk=ready_organization.pk).passed_stage == ""


def test_only_stages_that_do_not_invite_are_suggested(organization_admin_client, ready_organization):
    Stage.objects.create(organization=ready_organization, external_id="stage-phone", name="Phone screen")
    assert organization_admin_client.get("/settings/").context["known_targets"] == ["Phone screen"]
