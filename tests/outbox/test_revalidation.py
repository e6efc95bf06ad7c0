"""An invitation that waited is decided again before it is sent."""

import pytest
from django.utils import timezone

from integrations.catalog.models import RoleMapping
from integrations.core.rules.facts import Pause
from integrations.core.vocabulary import ProgressTag
from integrations.http.steps import NOT_SHOWN_WAITS
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from tests.support.scenario import STAGE

ALDER = "alder@candidates.example"


@pytest.mark.parametrize(("act", "more"), [("move", {"stage": "Phone screen"}), ("delete", {})])
def test_an_old_invitation_is_withdrawn_when_the_candidate_has_left(
    scenario, sandbox, old_invitation, act, more
):
    sandbox.lever_does(act, opportunities=[sandbox.opportunity_id("Alder")], **more)
    for _ in range(len(NOT_SHOWN_WAITS) + 1):
        scenario.work_waiting()
    invitation = scenario.reread(old_invitation)
    assert invitation.status == "withdrawn"
    assert invitation.status_reason
    assert (scenario.latest_effect().state, sandbox.invitations_sent()) == ("cancelled", 0)


def test_a_candidate_lever_does_not_show_for_a_moment_is_invited(scenario, sandbox, old_invitation):
    scenario.lever_fails("/opportunities/", method="GET", status=503, times=3)
    for _ in range(3):  # which doesn't shorten the wait
        scenario.work_waiting()
    scenario.lever_fails("/opportunities/", method="GET", status=404, times=len(NOT_SHOWN_WAITS))
    for _ in NOT_SHOWN_WAITS:
        scenario.work_waiting()
        assert scenario.reread(old_invitation).status == "pending"
    scenario.work_waiting()
    assert (scenario.reread(old_invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def add_progress_tag(sandbox):
    """Let the candidate have a progress tag in Lever, as if an invitation had been sent whose row was lost."""
    sandbox.lever_does("tags", opportunity=sandbox.opportunity_id("Alder"), add=[ProgressTag.INVITED])


def test_an_old_invitation_is_uncertain_when_lever_has_a_progress_tag_that_nothing_explains(
    scenario, sandbox, old_invitation, super_admin
):
    add_progress_tag(sandbox)
    scenario.work()
    invitation = scenario.reread(old_invitation)
    assert (invitation.status, scenario.latest_effect().state) == ("uncertain", "uncertain")
    assert "progress tag" in invitation.status_reason
    assert sandbox.invitations_sent() == 0
    scenario.organization.refresh_from_db()
    assert scenario.organization.pause is Pause.OTHER_INTEGRATION  # the others wait for a person's word
    scenario.set_policies(other_integration_off=True)
    invitations.send_again(invitation, super_admin)
    scenario.codescreen_fails(status=503, times=1)
    for _ in range(2):  # the choice outlasts a retry
        scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent()) == ("invited", 1)


def test_an_old_invitation_of_a_later_round_is_sent_beside_the_tag_of_the_earlier(
    scenario, sandbox, super_admin
):
    scenario.sent_invitation()
    Invitation.objects.update(status="completed", completed_at=timezone.now())
    invitations.invite_again(Invitation.objects.get(), super_admin)
    scenario.work()
    assert sandbox.invitations_sent() == 2


def test_a_candidate_who_moved_to_a_stage_with_the_same_assessment_is_invited(
    scenario, sandbox, old_invitation
):
    for stage in (STAGE, "CodeScreen Take-home"):
        own = {"role": "Backend Engineer", "stage": stage, "assessment": "Backend"}
        RoleMapping.objects.create(organization=scenario.organization, **own)
    scenario.place(stage="CodeScreen Take-home")
    scenario.work_waiting()
    assert (scenario.reread(old_invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
