"""What people do to invitations: allowed in certain statuses, audited, never sent twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed
from integrations.invitations.acts import invitations
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
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
    effect = factories.EffectFactory(
        organization=organization,
        invitation=invitation,
        kind="send_invitation",
        state="uncertain",
        due_at=None,
    )
    invitations.resolve_as_sent(invitation, " instance-7 ", super_admin)
    effect.refresh_from_db()
    invitation.refresh_from_db()
    assert (effect.state, invitation.instance_id) == ("done", "instance-7")
    assert Effect.objects.filter(kind="set_progress_tag", state="due").count() == 1


def test_sending_again_resets_the_effect(organization, super_admin):
    invitation = in_status(organization, "uncertain")
    effect = factories.EffectFactory(
        organization=organization,
        invitation=invitation,
        kind="send_invitation",
        key=str(invitation.pk),
        state="uncertain",
        due_at=None,
        attempts=3,
        last_error="lost",
    )
    Effect.objects.update(attempt_started_at=effect.created_at)
    invitations.send_again(invitation, super_admin)
    effect.refresh_from_db()
    assert effect.trying_since > effect.created_at
    assert (effect.state, effect.attempts, effect.attempt_started_at, effect.last_error) == (
        "due",
        0,
        None,
        "lost",
    )
    assert effect.due_at is not None
