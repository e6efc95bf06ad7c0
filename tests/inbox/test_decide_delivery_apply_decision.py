"""Write what follows from a decision: the invitation, its effects, a note."""

from datetime import timedelta

from django.utils import timezone

from integrations.case.facts import others_invited
from integrations.inbox.models.delivery import Delivery
from tests.support import factories
from tests.support.scenario import ASSESSMENT, verdict


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
        factories.InvitationFactory(
            organization=scenario.organization,
            opportunity_id=sandbox.opportunity_id(word),
            assessment_id=f"other-{number}",
            status="invited",
            instance_id=f"other-{number}",
        )
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
