"""What people do to invitations and their effects: allowed in certain statuses, audited, never sent twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.catalog.models import Assessment, RoleMapping
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

OVER = ["completed", "withdrawn"]
STOPPABLE = ["held", "pending", "uncertain", "invited", "failed"]
#: By the name of its entry: the act, the statuses in which it is allowed, the one that follows, and how many are sent.
ACTS = {
    "approve": (lambda row, actor: invitations.approve(row, actor, "looks right"), {"held"}, "pending", 1),
    "cancel_invitation": (
        lambda row, actor: invitations.cancel(row, actor, "too many"),
        STOPPABLE,
        "withdrawn",
        0,
    ),
    "cancel_invitation: unsent": (
        lambda row, actor: invitations.cancel(row, actor, "too many", only_unsent=True),
        {"held", "pending"},
        "withdrawn",
        0,
    ),
    "invite_again": (
        lambda row, actor: invitations.invite_again(row, actor, "it was interrupted"),
        OVER,
        "",
        1,
    ),
    "resolve_as_sent": (
        lambda row, actor: invitations.resolve_as_sent(row, "instance-7", actor, "seen in CodeScreen"),
        {"uncertain"},
        "invited",
        0,
    ),
    "send_again": (
        lambda row, actor: invitations.send_again(row, actor, "not there"),
        {"uncertain", "failed"},
        "pending",
        1,
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
        **{"due_at": None} | columns,
    )


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("status", list(Status))
def test_an_action_is_allowed_only_in_its_statuses(organization, super_admin, name, status):
    act, sources, target, sends = ACTS[name]
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
    assert invitation.status == (target or status)
    entry = recorded().get()
    action = name.partition(":")[0]
    assert (entry.action, entry.actor, entry.organization) == (action, super_admin, organization)
    assert entry.reason
    assert Effect.objects.filter(kind="send_invitation", state="due").count() == sends


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


# inviting again, and stopping an invitation


@pytest.mark.parametrize("status", OVER)
def test_inviting_again_begins_a_round_with_what_is_known(organization, super_admin, status):
    mapping = RoleMapping.objects.create(organization=organization, role="Chef", assessment="Soup")
    invitation = in_status(organization, status, mapping=mapping, stage_name="CodeScreen Home")
    again = invitations.invite_again(invitation, super_admin, "the first attempt was interrupted")
    assert (again.round, again.status, again.instance_id) == (2, "pending", "")
    for name in invitations.COPIED_TO_NEXT_ROUND:
        assert getattr(again, name) == getattr(invitation, name)
    assert Effect.objects.get(kind="send_invitation").invitation == again
    entry = recorded().get()
    assert entry.target == f"invitation {again.pk}"
    assert entry.reason == "the first attempt was interrupted"


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


@pytest.mark.parametrize("status", STOPPABLE)
def test_of_a_cancelled_invitation_nothing_is_sent_or_asked_any_more(organization, super_admin, status):
    invitation = in_status(organization, status, next_poll_at=timezone.now() + timedelta(hours=1))
    effect = sending(invitation, "due", due_at=timezone.now())
    invitations.cancel(invitation, super_admin, "withdrew by telephone")
    invitation.refresh_from_db()
    assert invitation.next_poll_at is None
    assert (invitation.first_call_at is None) is (status != "uncertain"), "it was possibly sent"
    assert "withdrew by telephone" in invitation.status_reason
    effect.refresh_from_db()
    assert effect.state == "cancelled"
    assert recorded().get().reason == "withdrew by telephone"


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
