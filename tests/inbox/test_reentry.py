"""The policy on entering a trigger stage again, and what leaving it does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.case.reconcile import changing
from integrations.core.invitation_status import FollowingEnd
from integrations.core.vocabulary import ErasureCause, HoldReason
from integrations.invitations.acts import invitations
from integrations.invitations.acts.chosen import invite_candidate
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.privacy.erase import erase
from integrations.results.schedule import end_following
from tests.support.scenario import ASSESSMENT, verdict


def test_reentry_starts_a_new_round_once_the_days_have_passed(scenario, sandbox):
    first = scenario.completed_invitation(days_ago=29, score=60, result="Passed")
    scenario.set_policies(reentry_days=30)
    assert scenario.enter().verdict == "already_invited"
    Invitation.objects.update(completed_at=timezone.now() - timedelta(days=30, seconds=5))
    sent = sandbox.invitations_sent()
    delivery = scenario.enter()
    assert delivery.verdict == "invite"
    assert "This is round 2." in delivery.explanation
    second = Invitation.objects.exclude(pk=first.pk).get()
    assert (second.round, second.status, second.assessment_id) == (2, "invited", first.assessment_id)
    assert second.instance_id != first.instance_id
    assert delivery.invitation == second
    assert sandbox.invitations_sent() == sent + 1
    # delivered again, by Lever or by a replay: the second round prevents a third
    assert scenario.enter().verdict == "already_invited"
    assert Invitation.objects.count() == 2


def test_reentry_starts_no_round_for_a_sweep_or_an_old_delivery(scenario, sandbox):
    scenario.completed_invitation(days_ago=2, score=20, result="Failed")
    scenario.set_policies(reentry_days=1)
    LeverConnection.objects.update(first_connected_at=timezone.now() - timedelta(days=4))
    sandbox.set_entered_at("Alder", timezone.now() - timedelta(days=3))
    assert scenario.enter(event="sweep").verdict == "already_invited"  # the entry from before the completion
    before = timezone.now() - timedelta(days=3)
    assert scenario.enter(received_at=before).verdict == "already_invited"  # an old delivery decided again
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    ("columns", "then"),
    [
        ({"in_any_stage": True, "is_fixed": True, "held_for": list(HoldReason)}, "invited"),
        ({}, "withdrawn"),
        ({"status": "held"}, "withdrawn"),
    ],
)
def test_only_what_a_person_sends_in_any_stage_is_sent_when_the_candidate_leaves(scenario, columns, then):
    invitation = scenario.pending_invitation(**columns)
    scenario.enter(stage="New applicant")
    assert scenario.reread(invitation).status == then


@pytest.mark.parametrize("has_left", [True, False], ids=["cancelled", "no-show"])
def test_who_enters_again_after_the_retention_is_followed_again(scenario, has_left):
    invitation = scenario.sent_invitation()
    if has_left:
        scenario.enter(stage="New applicant")
    else:
        with changing(scenario.organization, invitation.opportunity_id) as case:
            own = case.invitation(invitation.pk)
            end_following(own, FollowingEnd.NOT_STARTED, case.now)
    erase(scenario.organization, invitation.opportunity_id, ErasureCause.RETENTION, "retention")
    assert scenario.enter().verdict == "already_invited"
    scenario.evaluate(score=80, result="Passed")
    followed = scenario.reread(invitation)
    assert (followed.status, followed.email) == ("completed", "alder@candidates.example")
    assert scenario.latest_effect("write_feedback").state == "done"


@pytest.mark.parametrize("is_cancelled", [True, False], ids=["cancelled", "left"])
def test_who_returns_is_followed_by_the_assessment_that_a_person_chose(scenario, super_admin, is_cancelled):
    scenario.enter("Hazel")  # whose role has no assessment
    invite_candidate(Candidate.objects.get(), super_admin, ASSESSMENT)
    scenario.work()
    invitation = Invitation.objects.get()
    if is_cancelled:
        invitations.cancel(invitation, super_admin)
        Invitation.objects.update(changed_at=timezone.now() - timedelta(minutes=5))
    scenario.enter("Hazel", "New applicant")
    assert scenario.reread(invitation).status == "withdrawn"
    delivery = scenario.enter("Hazel")
    assert (delivery.verdict, delivery.assessment_source) == ("already_invited", "choice")
    assert scenario.reread(invitation).status == "invited"
    assert Candidate.objects.get().assessment_name == "Backend"


# a person's no


def test_a_later_time_in_a_webhook_does_not_override_a_persons_no(scenario, sandbox, super_admin):
    invitations.cancel(scenario.held_invitation(), super_admin)
    scenario.set_policies(bulk_limit=0)
    delivery = scenario.deliver()  # with a genuine signature, though no move in Lever caused it
    delivery.payload["triggeredAt"] = int(timezone.now().timestamp() * 1000)
    delivery.save()
    scenario.work()
    assert (verdict(delivery), sandbox.invitations_sent()) == ("already_invited", 0)


def test_a_new_entry_after_a_persons_no_is_decided_anew(scenario, sandbox, super_admin):
    invitations.cancel(scenario.held_invitation(), super_admin)
    scenario.set_policies(bulk_limit=0)
    Invitation.objects.update(changed_at=timezone.now() - timedelta(minutes=5))
    assert scenario.enter().verdict == "invite"
    assert sandbox.invitations_sent() == 1


def test_what_may_have_been_sent_is_not_sent_again_after_a_person_had_it_sent_again(
    scenario, sandbox, super_admin
):
    """The candidate leaves before the second call is made, and comes back."""
    scenario.codescreen_fails(kind="reset_after")
    scenario.enter()
    invitations.send_again(Invitation.objects.get(status="uncertain"), super_admin)
    scenario.enter(stage="Phone screen")
    assert scenario.enter().verdict == "already_invited"
    assert sandbox.invitations_sent() == 1
