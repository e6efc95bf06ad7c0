"""Candidates who may be invited already, without a row here, are offered to a person, by webhook and sweep alike."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.core.rules.facts import EnteredBefore
from integrations.core.vocabulary import ErasureCause, ProgressTag
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.chosen import invite_offered
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.privacy.erase import erase
from integrations.queue import acts as queue_acts
from tests.support.scenario import STAGE, verdict

TOLD_BY = pytest.mark.parametrize("is_webhook", [True, False], ids=["webhook", "sweep"])


@pytest.fixture
def tell(scenario, sandbox):
    """Return what takes in a candidate who stands in the stage, by a webhook or a sweep, and returns the delivery."""
    sandbox.lever_does("settings", webhooks_enabled=False)
    scenario.set_policies(other_integration_off=True)

    def tell(is_webhook, word="Alder") -> Delivery:
        if is_webhook:
            scenario.deliver(word)
        else:
            queue_acts.sweep_organization(scenario.organization)
        scenario.work()
        return Delivery.objects.filter(opportunity_id=sandbox.opportunity_id(word)).latest("pk")

    return tell


def cause_of(delivery):
    """Return why the candidate of a delivery was offered."""
    assert delivery.verdict == "entered_before"
    return next(cause for cause in EnteredBefore if cause.explain(STAGE) == delivery.explanation)


def enter(sandbox, word="Alder", **ago):
    """Move a candidate into the stage in Lever, so long ago."""
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=STAGE)
    if ago:
        sandbox.set_entered_at(word, timezone.now() - timedelta(**ago))


def forget_when(sandbox, word="Alder"):
    """Let Lever say nothing of the candidate's stage changes."""
    sandbox.candidate(word).stage_changes.clear()


@TOLD_BY
def test_who_stood_in_the_stage_before_the_connection_is_offered(sandbox, tell, is_webhook):
    enter(sandbox, days=3)
    delivery = tell(is_webhook)
    assert cause_of(delivery) == EnteredBefore.CONNECTING
    assert "before Lever was connected" in delivery.explanation
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(("account", "told"), [("account-before", "entered_before"), ("", "invite")])
def test_who_stood_in_the_stage_before_this_account_was_connected_is_offered(
    scenario, sandbox, super_admin, tell, account, told
):
    LeverConnection.objects.update(
        first_connected_at=timezone.now() - timedelta(days=9), lever_account_id=account
    )
    enter(sandbox, days=3)
    sandbox.connect(scenario.organization, super_admin)
    assert tell(is_webhook=False).verdict == told


def test_a_forged_stage_change_does_not_invite_those_offered_by_a_sweep(sandbox, tell):
    enter(sandbox, days=3)
    tell(is_webhook=False)
    delivery = tell(is_webhook=True)
    assert (delivery.event, delivery.verdict) == ("candidateStageChange", "entered_before")
    assert sandbox.invitations_sent() == 0


@TOLD_BY
def test_an_unknown_time_is_taken_for_an_early_one_until_the_stage_was_compared(
    scenario, sandbox, tell, is_webhook
):
    enter(sandbox)
    forget_when(sandbox)
    assert cause_of(tell(is_webhook)) == EnteredBefore.UNKNOWN_TIME
    queue_acts.sweep_organization(scenario.organization)
    assert tell(is_webhook=True).verdict == "entered_before"  # who was there then is offered still
    enter(sandbox, "Birch")
    forget_when(sandbox, "Birch")
    assert tell(is_webhook, "Birch").verdict == "invite"


def test_a_sent_invitation_explains_the_tag_of_a_second_assessment(scenario, sandbox, tell):
    scenario.sent_invitation()
    role = "Backend Engineer"
    scenario.organization.role_mappings.create(role=role, stage="", assessment="Frontend Developer")
    assert tell(is_webhook=True).verdict == "invite"
    assert sandbox.invitations_sent() == 2


def test_a_sent_invitation_explains_the_tag_after_retention(scenario, tell):
    invitation = scenario.sent_invitation()
    erase(scenario.organization, invitation.opportunity_id, ErasureCause.RETENTION, "test")
    assert tell(is_webhook=True).verdict == "already_invited"


def test_a_persons_choice_invites_who_may_be_invited_already(scenario, sandbox, tell, super_admin):
    enter(sandbox, days=3)
    sandbox.lever_does("tags", opportunity=sandbox.opportunity_id("Alder"), add=[ProgressTag.INVITED])
    delivery = tell(is_webhook=False)
    invite_offered(scenario.organization, super_admin, delivery.pk)
    scenario.work()
    assert verdict(delivery) == "invite"
    assert sandbox.invitations_sent() == 1
