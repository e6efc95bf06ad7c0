"""What is under way when a person is erased is stopped, and nothing personal is written back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.case import facts
from integrations.core.vocabulary import ActionNotAllowed, ErasureCause
from integrations.http.json_values import JsonObject
from integrations.http.session import NotConnected
from integrations.inbox import decide_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations as operations
from integrations.invitations.models.candidate import OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.models.email_kind import EmailTopic
from integrations.outbox.models.effect import Effect
from integrations.outbox.sending import mark_invited
from integrations.privacy.erase import erase
from integrations.privacy.lever_changes import repeat_erasures
from integrations.privacy.models import Erasure
from integrations.queue import duties, worker
from integrations.webhooks.authentication import Addressee
from integrations.webhooks.views import CodeScreenWebhookView, LeverWebhookView
from tests.notifications.outgoing import notify
from tests.privacy.traces import traces
from tests.support import factories

NAME, ADDRESS = "Candidate Alder", "alder@candidates.example"


def forget(scenario, word="Alder"):
    opportunity_id = scenario.sandbox.opportunity_id(word)
    return erase(scenario.organization, opportunity_id, ErasureCause.FORGOTTEN, "test")


@pytest.mark.parametrize("is_held", [False, True], ids=["waits", "held by a worker"])
def test_an_invitation_is_never_sent_after_the_erasure(scenario, is_held):
    invitation = scenario.pending_invitation()
    held = factories.claimed(Effect, "a worker") if is_held else None
    forget(scenario)
    if held:
        worker.perform_effect(held)
    scenario.work_waiting()
    assert scenario.sandbox.invitations_sent() == 0
    effect = scenario.latest_effect()
    assert (effect.state, effect.due_at) == ("cancelled", None)
    assert scenario.reread(invitation).status == "withdrawn"
    assert traces(NAME, ADDRESS) == []


def test_who_is_found_anonymized_when_a_webhook_is_decided_is_erased(scenario):
    invitation = scenario.sent_invitation("Alder")
    scenario.sandbox.lever_does("anonymize", opportunities=[invitation.opportunity_id])
    assert scenario.enter("Alder").verdict == "anonymized"
    assert Erasure.objects.get().cause == "anonymized"
    assert traces(NAME, ADDRESS) == []


def test_who_is_on_the_candidate_in_lever_is_kept_no_longer(scenario):
    invitation = scenario.pending_invitation()
    for opportunity_id in (invitation.opportunity_id, "another"):
        factories.on_candidate(scenario.organization, opportunity_id, "owner@acme.example")
    forget(scenario)
    assert OpportunityPerson.objects.get().opportunity_id == "another"


def test_an_answer_that_comes_after_the_erasure_leaves_only_the_instance(scenario):
    invitation = scenario.pending_invitation()
    Invitation.objects.filter(pk=invitation.pk).update(status="sending")
    forget(scenario)
    mark_invited(scenario.reread(invitation), "instance-1")
    scenario.poll()
    invitation = scenario.reread(invitation)
    assert (invitation.instance_id, invitation.status) == ("instance-1", "withdrawn")
    assert not Effect.objects.filter(kind="set_progress_tag").exists()
    assert traces(NAME, ADDRESS) == []


def test_a_result_is_no_longer_asked_for(scenario):
    invitation = scenario.sent_invitation()
    forget(scenario)
    scenario.candidate_does("start", "submit", "evaluate")
    assert scenario.reread(invitation).status == "invited"
    assert not invitation.results.exists()
    assert traces(NAME, ADDRESS) == []


def test_a_delivery_decided_during_the_erasure_gets_the_verdict_erased(scenario, monkeypatch):
    delivery = scenario.move()
    gather = facts.gather_facts

    def gather_and_erase(*arguments, **named):
        snapshot = gather(*arguments, **named)
        if not Erasure.objects.exists():
            forget(scenario)
        return snapshot

    monkeypatch.setattr(decide_delivery, "gather_facts", gather_and_erase)
    scenario.work()
    scenario.work_waiting()
    delivery.refresh_from_db()
    assert delivery.verdict == "erased"
    assert delivery.explanation
    assert not Invitation.objects.exists()
    assert traces(NAME, ADDRESS) == []


def test_a_delivery_that_was_given_up_ends_in_a_verdict_when_the_person_is_erased(scenario):
    stuck = scenario.deliver(due_at=None, last_error="The portal failed on this: KeyError.")
    assert stuck.is_stuck
    forget(scenario)
    scenario.work()
    delivery = Delivery.objects.get()
    assert (delivery.verdict, delivery.last_error, delivery.is_stuck) == ("erased", "", False)


def late_webhook(scenario, view, event: str, opportunity_id: str, payload: JsonObject) -> Delivery:
    """Store a webhook that arrives late, and work; return its delivery."""
    view.addressee = Addressee(scenario.organization)
    view.store(event=event, dedupe_key="late", opportunity_id=opportunity_id, payload=payload)
    scenario.work()
    return Delivery.objects.get(dedupe_key="late")


def test_a_late_webhook_is_stored_without_personal_data_and_explained(scenario):
    opportunity_id, event = scenario.sent_invitation().opportunity_id, "candidateStageChange"
    forget(scenario)
    data = {"opportunityId": opportunity_id, "toStageId": "s", "name": NAME, "email": ADDRESS}
    payload = {"event": event, "triggeredAt": 5, "data": data}
    delivery = late_webhook(scenario, LeverWebhookView(), event, opportunity_id, payload)
    assert delivery.payload["data"] == {"opportunityId": opportunity_id, "toStageId": "s"}
    assert delivery.verdict == "erased"
    assert traces(NAME, ADDRESS) == []


def test_a_late_webhook_of_codescreen_is_emptied_when_it_is_handled(scenario):
    invitation = scenario.sent_invitation()
    forget(scenario)
    data = {"assessmentInstanceId": invitation.instance_id, "email": ADDRESS, "name": NAME}
    payload = {"type": "candidate.submitted", "data": data}
    delivery = late_webhook(scenario, CodeScreenWebhookView(), "candidate.submitted", "", payload)
    assert delivery.verdict == "noted"
    assert traces(NAME, ADDRESS) == []


def test_a_worker_that_holds_an_email_or_a_delivery_cannot_write_of_the_person(scenario):
    invitation = scenario.pending_invitation()
    notify(scenario.organization, EmailTopic.RESULT, lines=[NAME], invitation=invitation)
    email, delivery = Effect.objects.get(kind="send_email").lease(), scenario.deliver().lease()
    assert email is not None
    assert delivery is not None
    forget(scenario)
    email.fenced().update(payload=email.payload)
    assert not delivery.release(last_error=f"Lever said something of {NAME}.")
    assert traces(NAME, ADDRESS) == []


def test_what_was_still_written_is_erased_when_the_erasure_is_repeated(scenario):
    invitation = scenario.sent_invitation()
    receipt = forget(scenario)
    factories.ApiCallFactory.create(
        organization=scenario.organization,
        opportunity_id=invitation.opportunity_id,
        response_body=f"about {NAME}",
    )
    repeat_erasures(scenario.organization)
    assert traces(NAME), "too early"
    Erasure.objects.update(erased_at=timezone.now() - timedelta(minutes=10))
    repeat_erasures(scenario.organization)
    assert traces(NAME) == []
    erasure = Erasure.objects.get()
    assert erasure.repeated_at is not None
    assert erasure.rows["integrations_apicall"] == receipt.erasure.rows["integrations_apicall"] + 1
    entries = AuditEntry.objects.filter(action="erase").count()
    repeat_erasures(scenario.organization)
    assert AuditEntry.objects.filter(action="erase").count() == entries == 2
    Erasure.objects.update(repeated_at=None)
    repeat_erasures(scenario.organization)
    assert Erasure.objects.get().rows == erasure.rows, "nothing was left to erase"
    assert AuditEntry.objects.filter(action="erase").count() == entries


@pytest.mark.parametrize("cause", ["forgotten", "deleted", "anonymized"])
def test_nobody_is_invited_again_by_hand_after_a_final_erasure(scenario, cause):
    invitation = scenario.pending_invitation(status="held")
    erase(scenario.organization, invitation.opportunity_id, ErasureCause(cause), "test")
    with pytest.raises(ActionNotAllowed, match="erased"):
        operations.approve(scenario.reread(invitation), "test")


@pytest.mark.parametrize("cause", ["retention", "gone"])
def test_somebody_who_returns_after_the_retention_is_invited_as_usual(scenario, cause):
    invitation = scenario.pending_invitation(status="failed")
    Effect.objects.all().delete()
    erase(scenario.organization, invitation.opportunity_id, ErasureCause(cause), "test")
    scenario.set_policies(default_assessment="Backend")
    scenario.enter()
    invitation = scenario.reread(invitation)
    assert (invitation.status, invitation.email, invitation.erased_at) == ("invited", ADDRESS, None)
    assert scenario.sandbox.invitations_sent(ADDRESS) == 1


def test_following_erasures_needs_no_connection_to_complete_them(scenario):
    scenario.sent_invitation()
    forget(scenario)
    Erasure.objects.update(erased_at=timezone.now() - timedelta(minutes=10))
    scenario.organization.lever_connection.mark_needs_reconnect("gone")
    organization = type(scenario.organization).objects.reread(scenario.organization.pk)
    assert duties.follow_erasures(organization, {})
    with pytest.raises(NotConnected):
        duties.follow_erasures(organization, {})
    assert Erasure.objects.get().repeated_at is not None
