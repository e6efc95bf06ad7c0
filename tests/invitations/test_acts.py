"""What people do to invitations and their effects: allowed in certain statuses, audited, never sent twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed
from integrations.invitations.acts import invitations
from integrations.invitations.acts.invitations import retry_effect
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.store import database
from tests.support import factories
from tests.support.factories import in_status, recorded

ACTS = {
    "approve": (lambda row, actor: invitations.approve(row, actor, "looks right"), {"held"}, "pending"),
    "cancel_invitation": (
        lambda row, actor: invitations.cancel(row, actor, "too many", only_unsent=True),
        {"held", "pending"},
        "withdrawn",
    ),
    "resolve_as_sent": (
        lambda row, actor: invitations.resolve_as_sent(row, "instance-7", actor, "seen in CodeScreen"),
        {"uncertain"},
        "invited",
    ),
    "send_again": (
        lambda row, actor: invitations.send_again(row, actor, "not there"),
        {"uncertain", "failed"},
        "pending",
    ),
}


def sending(invitation, state, **columns) -> Effect:
    """Return the effect that sends the invitation, in that state."""
    return factories.EffectFactory.create(
        organization=invitation.organization,
        invitation=invitation,
        kind="send_invitation",
        key=str(invitation.pk),
        state=state,
        due_at=None,
        **columns,
    )


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("status", list(Status))
def test_an_action_is_allowed_only_in_its_statuses(organization, super_admin, name, status):
    act, sources, target = ACTS[name]
    invitation = in_status(organization, status)
    if status not in sources:
        with pytest.raises(ActionNotAllowed):
            act(invitation, super_admin)
        invitation.refresh_from_db()
        assert invitation.status == status
        assert not recorded().exists()
        assert not Effect.objects.exists()
        return
    act(invitation, super_admin)
    invitation.refresh_from_db()
    assert invitation.status == target
    entry = recorded().get()
    assert (entry.action, entry.actor, entry.organization) == (name, super_admin, organization)
    assert entry.reason
    sends = Effect.objects.filter(kind="send_invitation", state="due").count()
    assert sends == (1 if target == "pending" else 0)


@pytest.mark.parametrize(
    ("column", "stands"),
    [("following_ended_at", "without a result"), ("erased_at", "erased")],
)
def test_a_sentence_says_where_an_invitation_stands_when_an_action_is_not_allowed(
    organization, super_admin, column, stands
):
    end = {"following_ended": "not_started"} if column == "following_ended_at" else {}
    invitation = in_status(organization, "invited", **{column: timezone.now()}, **end)
    with pytest.raises(ActionNotAllowed, match=f"^This invitation is {stands}.$"):
        invitations.approve(invitation, super_admin)


@pytest.mark.parametrize(("rows_lost", "is_chosen"), [(False, True), (True, False)])
def test_a_choice_before_a_restore_does_not_count_when_it_is_approved(
    organization, super_admin, rows_lost, is_chosen
):
    now = timezone.now()
    invitation = in_status(organization, "held")
    factories.DeliveryFactory.create(
        organization=organization, invitation=invitation, chosen_at=now - timedelta(hours=2)
    )
    if rows_lost:
        Organization.objects.update(
            rows_lost_from=now - timedelta(hours=1), rows_lost_until=now - timedelta(minutes=30)
        )
    invitations.approve(invitation, super_admin)
    assert invitation.is_chosen is is_chosen


@pytest.mark.parametrize("instance", ["", "   ", "x" * 201])
def test_resolving_as_sent_requires_an_instance_id(organization, super_admin, instance):
    with pytest.raises(ActionNotAllowed):
        invitations.resolve_as_sent(in_status(organization, "uncertain"), instance, super_admin)


def test_an_instance_belongs_to_one_invitation(organization, super_admin):
    taken = in_status(organization, "invited")
    with pytest.raises(ActionNotAllowed, match=taken.candidate_name):
        invitations.resolve_as_sent(in_status(organization, "uncertain"), "instance-1", super_admin)


def test_resolving_as_sent_finishes_the_effect_and_enqueues_the_tag(organization, super_admin):
    invitation = in_status(organization, "uncertain")
    called_at = database.now() - timedelta(hours=1)
    invitation.change(first_call_at=called_at)
    effect = sending(invitation, "uncertain")
    invitations.resolve_as_sent(invitation, " instance-7 ", super_admin)
    effect.refresh_from_db()
    invitation.refresh_from_db()
    assert (effect.state, invitation.instance_id) == ("done", "instance-7")
    assert invitation.invited_at == called_at
    assert Effect.objects.filter(kind="set_progress_tag", state="due").count() == 1


# retrying an effect


@pytest.mark.parametrize(
    ("state", "possible"),
    [("failed", True), ("due", True), ("done", False), ("cancelled", False), ("uncertain", False)],
)
def test_only_a_failed_or_waiting_effect_is_retried(organization, super_admin, state, possible):
    due = {} if state == "due" else {"due_at": None}
    effect = factories.EffectFactory(organization=organization, state=state, attempts=9, **due)
    if not possible:
        with pytest.raises(ActionNotAllowed):
            retry_effect(effect, super_admin)
        assert not recorded().exists()
        return
    retry_effect(effect, super_admin)
    assert Effect.objects.due().get() == effect
    assert recorded().get().action == "retry"


def test_a_leased_effect_is_not_retried(organization, super_admin):
    factories.EffectFactory(organization=organization)
    effect = factories.claimed(Effect, "worker")
    with pytest.raises(ActionNotAllowed):
        retry_effect(effect, super_admin)


@pytest.mark.parametrize("status", ["uncertain", "withdrawn", "completed"])
def test_retrying_its_effect_sends_no_invitation_again_unless_it_failed(organization, super_admin, status):
    invitation = in_status(organization, status)
    effect = sending(invitation, "failed")
    with pytest.raises(ActionNotAllowed):
        retry_effect(effect, super_admin)
    effect.refresh_from_db()
    assert effect.state == "failed"


@pytest.mark.parametrize("held_for", [[], ["bulk_limit"]])
def test_retrying_its_effect_sends_a_failed_invitation_again_and_releases_nothing(
    organization, super_admin, held_for
):
    invitation = in_status(organization, "failed", held_for=held_for)
    effect = sending(invitation, "failed")
    retry_effect(effect, super_admin)
    invitation.refresh_from_db()
    effect.refresh_from_db()
    assert (invitation.status, effect.state) == ("pending", "due")
    assert invitation.held_for == held_for


# no act of a person invites somebody who has the assessment through another opportunity


SENDING_ACTS = {
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


@pytest.mark.parametrize(
    ("invitation", "act"), SENDING_ACTS.values(), ids=SENDING_ACTS, indirect=["invitation"]
)
def test_an_act_is_refused_and_says_where_the_other_invitation_is(invitation, act, super_admin):
    other = invite_elsewhere(invitation)
    with pytest.raises(ActionNotAllowed) as refusal:
        act(invitation, super_admin)
    assert "The same person already has “Backend”" in str(refusal.value)
    assert f"http://testserver/activity/{other.opportunity_id}/" in str(refusal.value)
    assert Invitation.objects.count() == 2
    assert not Effect.objects.exists()
    assert not recorded().exists()


@pytest.mark.parametrize("invitation", ["completed"], indirect=True)
def test_a_person_who_completed_elsewhere_can_be_invited_again(invitation, super_admin):
    other = invite_elsewhere(invitation)
    Invitation.objects.filter(pk=other.pk).update(status="completed", completed_at=other.created_at)
    assert invitations.invite_again(invitation, super_admin).round == 2
