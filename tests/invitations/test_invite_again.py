"""Inviting again and stopping an invitation."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.catalog.models import Assessment, RoleMapping
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from tests.support import factories
from tests.support.factories import in_status, recorded

OVER = {"completed", "withdrawn"}
STOPPABLE = {"held", "pending", "uncertain", "invited", "failed"}


@pytest.mark.parametrize("status", list(Status))
def test_inviting_again_requires_an_invitation_that_is_over(organization, super_admin, status):
    mapping = RoleMapping.objects.create(organization=organization, role="Chef", assessment="Soup")
    invitation = in_status(organization, status, mapping=mapping, stage_name="CodeScreen Home")
    if status not in OVER:
        with pytest.raises(ActionNotAllowed):
            invitations.invite_again(invitation, super_admin)
        assert Invitation.objects.count() == 1
        assert not recorded().exists()
        return
    again = invitations.invite_again(invitation, super_admin, "the first attempt was interrupted")
    assert (again.round, again.status, again.instance_id) == (2, "pending", "")
    for name in invitations.COPIED_TO_NEXT_ROUND:
        assert getattr(again, name) == getattr(invitation, name)
    assert Effect.objects.get(kind="send_invitation").invitation == again
    entry = recorded().get()
    assert (entry.action, entry.actor) == ("invite_again", super_admin)
    assert entry.target == f"invitation {again.pk}"
    assert entry.reason == "the first attempt was interrupted"
    invitation.refresh_from_db()
    assert invitation.status == status


def test_each_round_has_at_most_one_next_round(organization, super_admin):
    invitation = in_status(organization, "completed")
    again = invitations.invite_again(invitation, super_admin)
    with pytest.raises(ActionNotAllowed, match="Round 2"):
        invitations.invite_again(invitation, super_admin)
    Invitation.objects.filter(pk=again.pk).update(status="completed", instance_id="instance-2")
    assert invitations.invite_again(again, super_admin).round == 3


def test_a_deleted_assessment_is_not_sent_again(organization, super_admin):
    invitation = in_status(organization, "completed")
    Assessment.objects.create(
        organization=organization, external_id="assessment-backend", name="Backend", gone_at=timezone.now()
    )
    with pytest.raises(ActionNotAllowed, match="no longer in CodeScreen"):
        invitations.invite_again(invitation, super_admin)


def test_inviting_again_reads_an_address_that_is_no_longer_kept(scenario, super_admin):
    first = scenario.pending_invitation(email="", candidate_name="")
    first.move("withdrawn", "The candidate left the stage.")
    scenario.work()
    invitations.invite_again(first, super_admin)
    scenario.work()
    assert scenario.sandbox.invitations_sent("alder@candidates.example") == 1


@pytest.mark.parametrize("status", list(Status))
def test_only_invitations_not_started_or_not_sent_can_be_cancelled(organization, super_admin, status):
    invitation = in_status(organization, status, next_poll_at=timezone.now() + timedelta(hours=1))
    if status not in STOPPABLE:
        with pytest.raises(ActionNotAllowed):
            invitations.cancel(invitation, super_admin)
        invitation.refresh_from_db()
        assert invitation.status == status
        assert not recorded().exists()
        return
    factories.EffectFactory.create(
        organization=organization, invitation=invitation, kind="send_invitation", key=str(invitation.pk)
    )
    invitations.cancel(invitation, super_admin, "withdrew by telephone")
    invitation.refresh_from_db()
    assert (invitation.status, invitation.next_poll_at) == ("withdrawn", None)
    assert (invitation.first_call_at is None) is (status != "uncertain"), "it was possibly sent"
    assert "withdrew by telephone" in invitation.status_reason
    assert Effect.objects.get(kind="send_invitation").state == "cancelled"
    entry = recorded().get()
    assert (entry.action, entry.actor, entry.reason) == (
        "cancel_invitation",
        super_admin,
        "withdrew by telephone",
    )


def test_a_stopped_uncertain_invitation_is_never_sent_again(scenario, sandbox, super_admin):
    invitation = scenario.uncertain_invitation(kind="reset_after")
    invitations.cancel(invitation, super_admin)
    delivery = scenario.enter()
    assert (delivery.verdict, sandbox.invitations_sent()) == ("already_invited", 1)
    assert "possibly sent" in delivery.explanation
    assert invitations.invite_again(invitation, super_admin).round == 2


def test_one_that_could_not_be_sent_and_was_cancelled_is_sent_when_the_candidate_comes_back(
    scenario, sandbox, super_admin
):
    scenario.codescreen_fails(status=404)
    scenario.enter()
    refused = Invitation.objects.get(status="failed")
    invitations.cancel(refused, super_admin)
    scenario.work()
    assert refused.effects.get(kind="send_invitation").state == "cancelled"
    scenario.enter(stage="Phone screen")
    scenario.enter()
    assert scenario.reread(refused).status == "invited"
    assert sandbox.invitations_sent() == 1
