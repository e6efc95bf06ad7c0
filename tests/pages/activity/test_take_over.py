"""The page on which an Admin takes over who was invited by CodeScreen's own integration."""

import pytest

from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.invitation import Invitation

PAGE = "/candidates/take-over/"


@pytest.fixture
def tagged(scenario, sandbox):
    scenario.set_policies(default_assessment="Backend", other_integration_off=True)
    for word in ("Alder", "Birch"):
        scenario.place(word)
        sandbox.lever_does("tags", opportunity=sandbox.opportunity_id(word), add=[ProgressTag.INVITED])
    return sandbox.opportunity_id("Alder")


def test_those_that_are_ticked_are_taken_over(organization_admin_client, tagged):
    page = organization_admin_client.get(PAGE).content.decode()
    assert page.count('name="row"') == 2
    answer = organization_admin_client.post(PAGE, {"row": tagged}, follow=True).content.decode()
    assert "1 taken over" in answer
    assert answer.count('name="row"') == 1
    assert Invitation.objects.get().opportunity_id == tagged


def test_an_instance_that_another_invitation_has_is_refused_with_the_reason(
    organization_admin_client, scenario, tagged
):
    scenario.pending_invitation("Hazel", status="invited", instance_id="taken")
    form = {"row": tagged, f"instance-{tagged}": "taken"}
    answer = organization_admin_client.post(PAGE, form, follow=True).content.decode()
    assert "already belongs to another invitation" in answer
    assert Invitation.objects.count() == 1


def test_nothing_to_take_over_says_what_to_do_next(organization_admin_client, scenario):
    assert "There is nothing to take over" in organization_admin_client.get(PAGE).content.decode()
