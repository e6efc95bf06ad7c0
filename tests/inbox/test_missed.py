"""Who is in a trigger stage is missed unless a delivery or an invitation accounts for this entry."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.core.vocabulary import ErasureCause
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.privacy.erase import erase
from integrations.queue import acts as queue_acts
from tests.support import factories

DECIDED: dict[str, Any] = {"due_at": None, "decided_at": timezone.now()}


@pytest.mark.parametrize(
    ("received", "columns", "found"),
    [
        (timedelta(seconds=1), {}, 0),
        (-timedelta(minutes=1), {}, 0),  # Lever's clock is ahead
        (-timedelta(minutes=3), {}, 1),
        (timedelta(seconds=1), DECIDED | {"verdict": "no_email"}, 0),
        (timedelta(seconds=1), DECIDED | {"verdict": "left_stage"}, 1),
        (timedelta(seconds=1), DECIDED | {"verdict": "not_visible"}, 1),
    ],
)
def test_a_delivery_of_the_entry_accounts_for_it_unless_the_list_refutes_its_verdict(
    scenario, received, columns, found
):
    scenario.place()
    scenario.deliver(received_at=timezone.now() + received, **columns)
    assert [queue_acts.sweep_organization(scenario.organization) for _ in range(2)] == [found, 0]


def test_who_was_told_of_an_invitation_elsewhere_is_not_taken_in_when_that_was_cancelled(scenario):
    elsewhere = factories.InvitationFactory(organization=scenario.organization, status="withdrawn")
    told = DECIDED | {"verdict": "invited_elsewhere", "invitation": elsewhere}
    scenario.place()
    scenario.deliver(received_at=timezone.now() + timedelta(seconds=1), **told)
    assert queue_acts.sweep_organization(scenario.organization) == 0
    elsewhere.opportunity_id = scenario.sandbox.opportunity_id("Alder")
    elsewhere.save()
    assert queue_acts.sweep_organization(scenario.organization) == 1


def test_who_waited_until_the_retention_is_not_taken_in_again(scenario):
    invitation = scenario.pending_invitation(status="held")
    erase(scenario.organization, invitation.opportunity_id, ErasureCause.RETENTION, "retention")
    assert scenario.reread(invitation).status == "withdrawn"
    assert queue_acts.sweep_organization(scenario.organization) == 0


def leave(invitation) -> None:
    invitation.move("withdrawn", "The candidate left the stage.")


def refuse(invitation) -> None:
    invitations.cancel(invitation, "somebody")


@pytest.mark.parametrize(
    ("end", "ago"), [(leave, timedelta()), (leave, timedelta(hours=1)), (refuse, timedelta(hours=1))]
)
def test_who_was_cancelled_and_came_back_without_a_webhook_is_taken_in(scenario, sandbox, end, ago):
    scenario.place()
    queue_acts.sweep_organization(scenario.organization)
    end(Invitation.objects.get())
    scenario.work()
    assert sandbox.invitations_sent() == 0
    scenario.place(stage="Phone screen")
    scenario.place()
    Delivery.objects.update(received_at=timezone.now() - ago)
    if end is refuse:
        Invitation.objects.update(changed_at=timezone.now() - ago)
    assert queue_acts.sweep_organization(scenario.organization) == 1
    scenario.work()
    assert sandbox.invitations_sent() == 1


def test_a_candidate_refused_by_a_person_is_ignored(scenario, sandbox, super_admin):
    scenario.place()
    queue_acts.sweep_organization(scenario.organization)
    invitation = Invitation.objects.get()
    invitations.cancel(invitation, super_admin)
    assert queue_acts.sweep_organization(scenario.organization) == 0
    # as if a webhook had arrived: the sweep recognizes its own delivery by its key
    Delivery.objects.update(dedupe_key="id:webhook", event="candidateStageChange")
    assert queue_acts.sweep_organization(scenario.organization) == 0
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent()) == ("withdrawn", 0)


def rename(sandbox, stage, name):
    """Rename a stage in Lever."""
    sandbox.account.stages[sandbox.stage_id(stage)].text = name


def test_a_candidate_who_entered_just_after_a_rename_is_taken_in(scenario, sandbox):
    scenario.read_lists()
    rename(sandbox, "Phone screen", "CodeScreen call")
    # by a list that is less than a minute old
    assert scenario.enter(stage="CodeScreen call").verdict == "not_a_trigger_stage"
    assert [queue_acts.sweep_organization(scenario.organization) for _ in range(2)] == [1, 0]


def test_a_candidate_who_stood_in_a_stage_that_was_renamed_later_is_not_invited(scenario, sandbox):
    scenario.place(stage="Phone screen")
    sandbox.set_entered_at("Alder", timezone.now() - timedelta(minutes=10))
    scenario.deliver(stage="Phone screen")
    scenario.read_lists()
    scenario.work()
    rename(sandbox, "Phone screen", "CodeScreen call")
    assert queue_acts.sweep_organization(scenario.organization) == 0


@pytest.mark.parametrize(("reentry_days", "repaired"), [(1, 1), (0, 0)])
def test_a_reentry_without_a_webhook_starts_a_round_when_the_policy_gives_one(
    scenario, sandbox, reentry_days, repaired
):
    scenario.completed_invitation(score=20, result="Failed")
    Invitation.objects.update(completed_at=timezone.now() - timedelta(days=1, hours=1))
    Delivery.objects.update(received_at=timezone.now() - timedelta(days=2))
    scenario.set_policies(reentry_days=reentry_days)
    sandbox.set_entered_at("Alder", timezone.now() - timedelta(days=1, hours=2))
    assert queue_acts.sweep_organization(scenario.organization) == 0
    scenario.place(stage="Phone screen")
    scenario.place()
    assert queue_acts.sweep_organization(scenario.organization) == repaired
    scenario.work()
    assert Invitation.objects.count() == 1 + repaired
