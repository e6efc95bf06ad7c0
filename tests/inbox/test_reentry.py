"""The policy on entering a trigger stage again, and what leaving it does."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.case.reconcile import changing
from integrations.core.invitation_status import FollowingEnd
from integrations.core.vocabulary import ErasureCause, HoldReason
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.privacy.erase import erase
from integrations.results.schedule import end_following
from tests.support import factories

STAGE = "CodeScreen Assessment"


@pytest.fixture
def move_and_decide(scenario, sandbox):
    """Return what moves a candidate, works the delivery of it and returns the delivery."""

    def move(stage: str = STAGE, **changes: Any) -> Delivery:
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage=stage)
        data = {"opportunityId": sandbox.opportunity_id("Alder"), "toStageId": sandbox.stage_id(stage)}
        event = changes.pop("event", "candidateStageChange")
        delivery = factories.DeliveryFactory.create(
            organization=scenario.organization,
            opportunity_id=sandbox.opportunity_id("Alder"),
            event=event,
            payload={"event": event, "data": data},
            **changes,
        )
        scenario.work()
        delivery.refresh_from_db()
        return delivery

    return move


def completed_invitation(scenario, days: int = 0, **verdict: Any) -> Invitation:
    """Return an invitation that was completed this many days ago."""
    invitation = scenario.sent_invitation()
    scenario.candidate_does("start", "submit", "evaluate", **verdict)
    Invitation.objects.update(completed_at=timezone.now() - timedelta(days=days, seconds=5))
    return invitation


def test_reentry_starts_no_round_by_default(scenario, move_and_decide):
    completed_invitation(scenario, score=20, result="Failed", days=400)
    delivery = move_and_decide()
    assert delivery.verdict == "already_invited"
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize("result", ["Passed", "Failed"])
def test_reentry_starts_a_new_round_once_the_days_have_passed(scenario, sandbox, move_and_decide, result):
    first = completed_invitation(scenario, score=60, result=result, days=29)
    scenario.set_policies(reentry_days=30)
    assert move_and_decide().verdict == "already_invited"
    Invitation.objects.update(completed_at=timezone.now() - timedelta(days=30, seconds=5))
    sent = sandbox.invitations_sent()
    delivery = move_and_decide()
    assert delivery.verdict == "invite"
    assert "This is round 2." in delivery.explanation
    second = Invitation.objects.exclude(pk=first.pk).get()
    assert (second.round, second.status, second.assessment_id) == (2, "invited", first.assessment_id)
    assert second.instance_id != first.instance_id
    assert delivery.invitation == second
    assert sandbox.invitations_sent() == sent + 1
    # delivered again, by Lever or by a replay: the second round prevents a third
    assert move_and_decide().verdict == "already_invited"
    assert Invitation.objects.count() == 2


def test_reentry_starts_no_round_while_one_is_open(scenario, move_and_decide):
    invitation = scenario.sent_invitation()
    Invitation.objects.filter(pk=invitation.pk).update(invited_at=timezone.now() - timedelta(days=400))
    scenario.set_policies(reentry_days=1)
    assert move_and_decide().verdict == "already_invited"


def test_reentry_starts_no_round_for_a_sweep_or_an_old_delivery(scenario, sandbox, move_and_decide):
    completed_invitation(scenario, score=20, result="Failed", days=2)
    scenario.set_policies(reentry_days=1)
    LeverConnection.objects.update(first_connected_at=timezone.now() - timedelta(days=4))
    sandbox.set_entered_at("Alder", timezone.now() - timedelta(days=3))
    assert move_and_decide(event="sweep").verdict == "already_invited"  # the entry from before the completion
    before = timezone.now() - timedelta(days=3)
    assert move_and_decide(received_at=before).verdict == "already_invited"  # an old delivery decided again
    assert Invitation.objects.count() == 1


def test_a_new_round_is_held_when_it_exceeds_the_bulk_limit(scenario, move_and_decide):
    first = completed_invitation(scenario, score=20, result="Failed", days=1)
    scenario.set_policies(reentry_days=1, bulk_limit=1)
    factories.InvitationFactory.create(organization=scenario.organization)
    assert move_and_decide().verdict == "held_for_approval"
    held = Invitation.objects.get(opportunity_id=first.opportunity_id, round=2)
    assert held.status == "held"


def test_an_invitation_is_cancelled_when_the_candidate_leaves(scenario, move_and_decide):
    invitation = scenario.sent_invitation()
    move_and_decide("New applicant")
    assert scenario.reread(invitation).status == "withdrawn"


def test_a_held_invitation_is_withdrawn_when_the_candidate_leaves(scenario, move_and_decide):
    invitation = scenario.pending_invitation()
    Invitation.objects.filter(pk=invitation.pk).update(status="held")
    move_and_decide("New applicant")
    assert scenario.reread(invitation).status == "withdrawn"


@pytest.mark.parametrize(("in_any_stage", "status"), [(True, "invited"), (False, "withdrawn")])
def test_what_a_person_sends_in_any_stage_is_sent_when_the_candidate_leaves(
    scenario, move_and_decide, in_any_stage, status
):
    invitation = scenario.pending_invitation(
        in_any_stage=in_any_stage, held_for=list(HoldReason) if in_any_stage else [], is_fixed=in_any_stage
    )
    move_and_decide("New applicant")
    assert scenario.reread(invitation).status == status


def test_a_no_show_who_enters_the_stage_again_is_followed_again(scenario, move_and_decide):
    invitation = scenario.sent_invitation()
    Invitation.objects.update(followed_since=timezone.now() - timedelta(days=57))
    scenario.poll()
    assert scenario.reread(invitation).following_ended == "not_started"
    move_and_decide("Phone screen")
    assert move_and_decide().verdict == "already_invited"
    scenario.poll()
    followed = scenario.reread(invitation)
    assert (followed.following_ended, followed.next_poll_at is None) == ("", False)


@pytest.mark.parametrize("has_left", [True, False], ids=["cancelled", "no-show"])
def test_who_enters_again_after_the_retention_is_followed_again(scenario, move_and_decide, has_left):
    invitation = scenario.sent_invitation()
    if has_left:
        move_and_decide("New applicant")
    else:
        with changing(scenario.organization, invitation.opportunity_id) as case:
            own = case.invitation(invitation.pk)
            end_following(own, FollowingEnd.NOT_STARTED, case.now)
    erase(scenario.organization, invitation.opportunity_id, ErasureCause.RETENTION, "retention")
    assert move_and_decide().verdict == "already_invited"
    scenario.candidate_does("start", "submit", "evaluate", score=80, result="Passed")
    followed = scenario.reread(invitation)
    assert (followed.status, followed.email) == ("completed", "alder@candidates.example")
    assert scenario.latest_effect("write_feedback").state == "done"


# a person's no


@pytest.mark.parametrize("was_sent", [False, True])
def test_a_late_telling_of_the_same_entry_does_not_override_a_persons_no(
    scenario, sandbox, move_and_decide, super_admin, was_sent
):
    move_and_decide()
    invitation = Invitation.objects.get()
    if was_sent:
        invitations.cancel(invitation, super_admin)
    else:
        Invitation.objects.update(status="held", instance_id="", first_call_at=None)
        invitations.cancel(scenario.reread(invitation), super_admin)
    sent = sandbox.invitations_sent()
    earlier = timezone.now() - timedelta(minutes=1)
    delivery = move_and_decide(received_at=earlier)  # a second webhook of the entry before the no
    assert delivery.verdict == "already_invited"
    assert "was cancelled (" in delivery.explanation
    assert (scenario.reread(invitation).status, sandbox.invitations_sent()) == ("withdrawn", sent)


@pytest.fixture
def forge(scenario, sandbox):
    """Return what stores a webhook that no move in Lever caused, with a genuine signature of a later time."""

    def forge(word: str = "Alder") -> str:
        data = {"opportunityId": sandbox.opportunity_id(word), "toStageId": sandbox.stage_id(STAGE)}
        delivery = factories.DeliveryFactory.create(
            organization=scenario.organization,
            opportunity_id=sandbox.opportunity_id(word),
            payload={
                "event": "candidateStageChange",
                "triggeredAt": int(timezone.now().timestamp() * 1000),
                "data": data,
            },
        )
        scenario.work()
        delivery.refresh_from_db()
        return delivery.verdict

    return forge


def test_a_later_time_in_a_webhook_does_not_override_a_persons_no(
    scenario, sandbox, move_and_decide, super_admin, forge
):
    scenario.set_policies(bulk_limit=1)
    factories.InvitationFactory.create(organization=scenario.organization)
    move_and_decide()
    scenario.set_policies(bulk_limit=0)
    invitations.cancel(Invitation.objects.get(status="held"), super_admin)
    assert (forge(), sandbox.invitations_sent()) == ("already_invited", 0)


def test_a_later_time_in_a_webhook_starts_no_round(scenario, sandbox, forge):
    completed_invitation(scenario, score=20, result="Failed", days=3)
    scenario.set_policies(reentry_days=1)
    LeverConnection.objects.update(first_connected_at=timezone.now() - timedelta(days=9))
    sandbox.set_entered_at("Alder", timezone.now() - timedelta(days=5))
    assert (forge(), sandbox.invitations_sent()) == ("already_invited", 1)


def test_a_new_entry_after_a_persons_no_is_decided_anew(scenario, sandbox, move_and_decide, super_admin):
    factories.InvitationFactory.create(organization=scenario.organization)
    scenario.set_policies(bulk_limit=1)
    move_and_decide()
    scenario.set_policies(bulk_limit=0)
    invitations.cancel(Invitation.objects.get(status="held"), super_admin)
    Invitation.objects.update(changed_at=timezone.now() - timedelta(minutes=5))
    assert move_and_decide().verdict == "invite"
    assert sandbox.invitations_sent() == 1


def test_what_may_have_been_sent_is_not_sent_again_after_a_person_had_it_sent_again(
    scenario, sandbox, move_and_decide, super_admin
):
    """The candidate leaves before the second call is made, and comes back."""
    scenario.codescreen_fails(kind="reset_after")
    move_and_decide()
    invitations.send_again(Invitation.objects.get(status="uncertain"), super_admin)
    move_and_decide("Phone screen")
    assert move_and_decide().verdict == "already_invited"
    assert sandbox.invitations_sent() == 1
