"""Write what follows from a decision: the invitation, its effects, a note."""

from datetime import timedelta

from django.utils import timezone

from integrations.catalog.models import RoleMapping
from integrations.health import incidents
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.queue import worker
from tests.inbox.conftest import verdict
from tests.support import factories
from tests.support.scenario import ASSESSMENT

STAGE = "CodeScreen Assessment"


def test_a_delivery_records_what_named_the_assessment_until_it_is_decided_again(
    scenario, sandbox, super_admin
):
    Organization.objects.update(default_assessment=" backend")
    RoleMapping.objects.all().delete()
    sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id("Alder")], remove=["CodeScreen Backend"])
    delivery = scenario.enter()
    assert verdict(delivery) == "invite", delivery.explanation
    assert (delivery.assessment_source, delivery.assessment_written) == ("default", " backend")
    Organization.objects.update(paused=True)
    queue_acts.replay(delivery, super_admin)
    assert verdict(delivery) == "paused"
    assert (delivery.assessment_source, delivery.assessment_written) == ("", "")


def test_an_unsent_invitation_is_cancelled_when_the_candidate_leaves(scenario, sandbox):
    scenario.move()
    delivery = factories.claimed(Delivery, "me")
    worker.decide(delivery)
    leaves = scenario.move(stage="Phone screen")
    delivery = factories.claimed(Delivery, "me")
    worker.decide(delivery)
    scenario.work()
    assert verdict(leaves) == "not_a_trigger_stage"
    assert (Invitation.objects.get().status, scenario.latest_effect().state, sandbox.invitations_sent()) == (
        "withdrawn",
        "cancelled",
        0,
    )
    scenario.enter()
    assert (Invitation.objects.get().status, sandbox.invitations_sent()) == ("invited", 1)


def test_a_skipped_candidate_gets_one_note(scenario, sandbox):
    scenario.enter("Hazel")
    scenario.enter("Hazel")
    assert set(Delivery.objects.values_list("verdict", flat=True)) == {"no_assessment"}
    [note] = sandbox.opportunity("Hazel")["note_texts"]
    assert "no assessment was sent" in note
    assert "Hazel" not in note
    assert "@" not in note


def test_invitations_beyond_the_bulk_limit_are_held_and_notified_once(scenario, sandbox):
    scenario.set_policies(bulk_limit=1, default_assessment="Backend")
    first, second, third = scenario.move("Alder"), scenario.move("Hazel"), scenario.move("Tamarack")
    scenario.work()
    assert [verdict(row) for row in (first, second, third)] == [
        "invite",
        "held_for_approval",
        "held_for_approval",
    ]
    assert sandbox.invitations_sent() == 1
    assert sorted(Invitation.objects.values_list("status", flat=True)) == ["held", "held", "invited"]
    for _ in range(2):
        incidents.update_incidents(scenario.organization)
    assert Effect.objects.filter(kind="send_email").count() == 1


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
