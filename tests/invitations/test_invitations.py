"""Correcting the address of an invitation that bounced, and sending it again."""

import pytest

from integrations.audit.models.entry import AuditEntry
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import NotConnected
from integrations.invitations.models.invitation import Invitation
from integrations.queue import on_request
from tests.support import factories
from tests.support.at_once import run_at_once

CORRECTED = "alder.correct@candidates.example"


@pytest.fixture
def bounced(scenario) -> Invitation:
    """An invitation that CodeScreen sent, and whose bounce its webhook has reported."""
    invitation = scenario.sent_invitation()
    Invitation.objects.filter(pk=invitation.pk).update(bounced_at=invitation.changed_at)
    return scenario.reread(invitation)


def test_a_corrected_address_gets_the_next_round_and_the_one_that_bounced_is_no_longer_tracked(
    scenario, bounced, super_admin
):
    scenario.correct(email=CORRECTED)
    again = on_request.correct_and_send_again(bounced, super_admin, "she gave a new one")
    scenario.work()
    again, bounced = scenario.reread(again), scenario.reread(bounced)
    assert (again.round, again.status, again.email) == (2, "invited", CORRECTED)
    assert (bounced.status, bounced.is_bounced, bounced.next_poll_at) == ("withdrawn", False, None)
    assert scenario.sandbox.invitations_sent(CORRECTED) == 1
    assert scenario.sandbox.invitations_sent("alder@candidates.example") == 1
    assert AuditEntry.objects.get(reason="she gave a new one").action == "invite_again"


def test_nothing_is_sent_when_the_address_in_lever_is_still_the_one_that_bounced(
    scenario, bounced, super_admin
):
    scenario.correct(email="Alder@Candidates.example")
    with pytest.raises(ActionNotAllowed, match="is still the one that bounced"):
        on_request.correct_and_send_again(bounced, super_admin)
    scenario.work()
    assert scenario.sandbox.invitations_sent() == 1
    assert scenario.reread(bounced).is_bounced
    assert not AuditEntry.objects.filter(action="invite_again").exists()


def test_pressing_twice_sends_one_invitation(scenario, bounced, super_admin):
    scenario.correct(email=CORRECTED)
    on_request.correct_and_send_again(bounced, super_admin)
    with pytest.raises(ActionNotAllowed, match="didn't bounce"):
        on_request.correct_and_send_again(Invitation.objects.get(pk=bounced.pk), super_admin)
    bounced.status = "invited"  # a process that read the row before
    with pytest.raises(ActionNotAllowed):
        on_request.correct_and_send_again(bounced, super_admin)
    scenario.work()
    assert scenario.sandbox.invitations_sent(CORRECTED) == 1


@pytest.mark.django_db(transaction=True)
def test_pressed_in_several_windows_at_once_one_invitation_is_sent(scenario, bounced, super_admin):
    scenario.correct(email=CORRECTED)
    raised = run_at_once(
        lambda: on_request.correct_and_send_again(Invitation.objects.get(pk=bounced.pk), super_admin)
    )
    assert [type(error) for error in raised] == [ActionNotAllowed] * 3
    scenario.work()
    assert scenario.sandbox.invitations_sent(CORRECTED) == 1


def test_nobody_is_sent_another_assessment_who_has_started_meanwhile(scenario, bounced, super_admin):
    scenario.correct(email=CORRECTED)
    scenario.candidate_does("start")
    bounced.refresh_from_db()
    assert not bounced.is_bounced
    with pytest.raises(ActionNotAllowed, match="didn't bounce"):
        on_request.correct_and_send_again(bounced, super_admin)
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "reason"), [({"archived": True}, "archived"), ({"emails": []}, "no e-mail address")]
)
def test_nothing_is_sent_to_somebody_who_can_not_be_invited(scenario, bounced, super_admin, change, reason):
    account = scenario.sandbox.lever.accounts["acme"]
    opportunity = account.opportunities[bounced.opportunity_id]
    if "archived" in change:
        scenario.sandbox.lever_does("archive", opportunities=[bounced.opportunity_id], reason="Withdrew")
    else:
        account.set_emails(account.contact_of(opportunity), [])
    with pytest.raises(ActionNotAllowed, match=reason):
        on_request.correct_and_send_again(bounced, super_admin)
    assert Invitation.objects.count() == 1


def test_who_enters_the_stage_again_is_said_to_need_the_correction(
    scenario, sandbox, bounced, organization_admin_client
):
    stage = sandbox.stage_id("CodeScreen Assessment")
    data = {"opportunityId": bounced.opportunity_id, "toStageId": stage}
    delivery = factories.DeliveryFactory.create(
        organization=scenario.organization,
        opportunity_id=bounced.opportunity_id,
        payload={"event": "candidateStageChange", "data": data},
    )
    scenario.work()
    delivery.refresh_from_db()
    assert delivery.verdict == "already_invited"
    page = organization_admin_client.get(
        f"/activity/{bounced.opportunity_id}/?show=technical"
    ).content.decode()
    dry_run = on_request.dry_run(scenario.organization, bounced.opportunity_id, stage)
    for said in (page, dry_run.decision.next_step):
        assert "“Correct and send again”" in said
        assert "Nothing to do" not in said


def test_nothing_changes_while_lever_is_not_connected(scenario, bounced, super_admin):
    scenario.organization.lever.delete()
    with pytest.raises(NotConnected):
        on_request.correct_and_send_again(bounced, super_admin)
    assert scenario.reread(bounced).is_bounced
