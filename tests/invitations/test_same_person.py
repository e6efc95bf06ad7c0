"""No act of a person invites somebody who has the assessment through another opportunity."""

import pytest

from integrations.core.vocabulary import ActionNotAllowed
from integrations.invitations.acts import invitations
from integrations.invitations.acts.retry import retry_effect
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from tests.support import factories
from tests.support.factories import recorded

ACTS = {
    "approve": ("held", invitations.approve),
    "send_again": ("failed", invitations.send_again),
    "invite_again": ("completed", invitations.invite_again),
}


@pytest.fixture
def invitation(organization, request):
    """An invitation in the status that the test names."""
    is_sent = request.param == "completed"
    return factories.InvitationFactory.create(
        organization=organization, status=request.param, instance_id="instance-1" if is_sent else ""
    )


def invite_elsewhere(invitation):
    """Return an invitation of the same person, by address, that was sent through another opportunity."""
    values = {"status": "invited", "instance_id": "instance-2", "email": invitation.email.upper()}
    return factories.InvitationFactory.create(organization=invitation.organization, **values)


@pytest.mark.parametrize(("invitation", "act"), ACTS.values(), ids=ACTS, indirect=["invitation"])
def test_an_act_is_refused_and_says_where_the_other_invitation_is(invitation, act, super_admin):
    other = invite_elsewhere(invitation)
    with pytest.raises(ActionNotAllowed) as refusal:
        act(invitation, super_admin)
    assert "The same person already has “Backend”" in str(refusal.value)
    assert f"http://testserver/activity/{other.opportunity_id}/" in str(refusal.value)
    assert Invitation.objects.count() == 2
    assert not Effect.objects.exists()
    assert not recorded().exists()


@pytest.mark.parametrize("invitation", ["failed"], indirect=True)
def test_retrying_the_effect_of_a_failed_invitation_is_refused_too(invitation, super_admin):
    effect = factories.EffectFactory.create(
        organization=invitation.organization,
        invitation=invitation,
        kind="send_invitation",
        state="failed",
        due_at=None,
    )
    invite_elsewhere(invitation)
    with pytest.raises(ActionNotAllowed, match="through another opportunity"):
        retry_effect(effect, super_admin)


@pytest.mark.parametrize("invitation", ["completed"], indirect=True)
def test_a_person_who_completed_elsewhere_can_be_invited_again(invitation, super_admin):
    other = invite_elsewhere(invitation)
    Invitation.objects.filter(pk=other.pk).update(status="completed", completed_at=other.created_at)
    assert invitations.invite_again(invitation, super_admin).round == 2
