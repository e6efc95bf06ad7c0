"""What follows from a decision: the candidate's row, the invitation, its effects, a note."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.case.facts import others_invited
from integrations.core.vocabulary import ProgressTag
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import approve
from integrations.invitations.models.candidate import Candidate
from tests.support import duty_runs, factories
from tests.support.scenario import ASSESSMENT, verdict


def candidate(delivery) -> Candidate:
    """Return the row of the candidate that a delivery is about."""
    return Candidate.objects.get(opportunity_id=delivery.opportunity_id)


def test_an_invited_candidate_has_a_row_with_the_invitation(scenario):
    delivery = scenario.enter()
    row = candidate(delivery)
    assert row.delivery == delivery
    assert row.invitation is not None
    assert row.invitation.opportunity_id == delivery.opportunity_id
    assert (row.name, row.email) == (row.invitation.candidate_name, row.invitation.email)
    assert row.email == "alder@candidates.example"
    assert (row.role_id, row.role_title) == (row.invitation.role_id, row.invitation.role_title)
    assert row.role_title == "Backend Engineer"
    assert row.invitation.contact_id
    assert row.origin == "applied"
    assert (row.stage_name, row.assessment_name) == ("CodeScreen Assessment", row.invitation.assessment_name)


def test_a_candidate_without_an_invitation_has_a_row_with_name_and_role(scenario):
    delivery = scenario.enter("Ginkgo")
    assert verdict(delivery) == "unknown_assessment"
    row = candidate(delivery)
    assert row.invitation is None
    assert (row.name, row.role_title) == ("Candidate Ginkgo", "Data Engineer")
    assert row.assessment_name == "Data Enginer"


@pytest.mark.parametrize(("stage", "count"), [("CodeScreen Assessment", 1), ("Phone Screen", 0)])
def test_a_paused_delivery_makes_a_row_without_a_name_where_the_stage_is_known(scenario, stage, count):
    duty_runs.sweep_whole(scenario.organization)  # reads the list of stages
    scenario.set_policies(paused=True)
    delivery = scenario.enter(stage=stage)
    assert verdict(delivery) == "paused"
    assert Candidate.objects.filter(name="").count() == count
    scenario.set_policies(paused=False)
    scenario.work()
    assert Candidate.objects.filter(name="Candidate Alder").count() == count


def test_an_invitation_elsewhere_is_not_the_candidates_own(scenario):
    delivery = scenario.enter()
    invitation = candidate(delivery).invitation
    assert invitation is not None
    type(invitation).objects.filter(pk=invitation.pk).update(opportunity_id="o-first")
    scenario.sandbox.lever_does("tags", opportunity=delivery.opportunity_id, remove=[*ProgressTag])
    Candidate.objects.all().delete()
    again = scenario.enter()
    assert verdict(again) == "invited_elsewhere"
    assert candidate(again).invitation is None


def test_a_name_that_is_corrected_before_sending_is_the_candidates_too(scenario):
    held = scenario.held_invitation()
    scenario.correct(name="Candidate Alder Again")
    approve(held, "test")
    scenario.work()
    row = Candidate.objects.get()
    assert (row.name, row.email) == ("Candidate Alder Again", "alder.correct@candidates.example")


# the invitation, its effects, a note


def test_a_skipped_candidate_gets_one_note(scenario, sandbox):
    scenario.enter("Hazel")
    scenario.enter("Hazel")
    assert set(Delivery.objects.values_list("verdict", flat=True)) == {"no_assessment"}
    [note] = sandbox.opportunity("Hazel")["note_texts"]
    assert "no assessment was sent" in note
    assert "Hazel" not in note
    assert "@" not in note


def test_the_bulk_limit_counts_candidates_and_neither_their_invitations_nor_who_waits(scenario, sandbox):
    scenario.set_policies(bulk_limit=2)
    for _ in range(3):
        factories.InvitationFactory(organization=scenario.organization, status="held")
    words = ("Hazel", "Hazel", "Alder", "Alder")
    for number, word in enumerate(words):  # of who came before, and of the candidate
        other = {"assessment_id": f"other-{number}", "instance_id": f"other-{number}"}
        opportunity_id = sandbox.opportunity_id(word)
        factories.in_status(scenario.organization, "invited", opportunity_id=opportunity_id, **other)
    first, second = scenario.move("Alder"), scenario.move("Tamarack")
    scenario.work()
    assert (verdict(first), verdict(second)) == ("invite", "held_for_approval")
    assert "more than 2 candidates in 10 minutes" in Delivery.objects.get(pk=second.pk).explanation


def test_the_bulk_limit_counts_reused_invitations(scenario, sandbox):
    scenario.set_policies(bulk_limit=1, default_assessment="Backend")
    words = ("Alder", "Hazel", "Tamarack")
    for word in words:
        factories.InvitationFactory(
            organization=scenario.organization,
            opportunity_id=sandbox.opportunity_id(word),
            assessment_id=ASSESSMENT,
            status="withdrawn",
            created_at=timezone.now() - timedelta(days=1),
        )
    deliveries = [scenario.move(word) for word in words]
    scenario.work()
    assert [verdict(row) for row in deliveries] == ["invite", "held_for_approval", "held_for_approval"]
    assert sandbox.invitations_sent() == 1


def test_the_bulk_limit_counts_the_last_minutes_of_the_window(organization):
    for minutes in (1, 4, 6):
        ago = timezone.now() - timedelta(minutes=minutes)
        factories.InvitationFactory(organization=organization, created_at=ago)
    assert others_invited(Delivery(organization=organization), 5) == 2
