"""Alerts about people who are erased."""

from datetime import timedelta

from django.utils import timezone

from integrations.core.vocabulary import ErasureCause
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notify import notify_members
from integrations.outbox.models import Effect
from integrations.privacy import retention
from integrations.privacy.erase import erase
from tests.privacy.traces import traces
from tests.support import factories

NAME, ADDRESS = "Candidate Alder", "alder@candidates.example"


def forget(scenario):
    opportunity_id = scenario.sandbox.opportunity_id("Alder")
    return erase(scenario.organization, opportunity_id, ErasureCause.FORGOTTEN, "test")


def test_an_alert_that_waits_is_cancelled_and_emptied(scenario):
    factories.alert_address(scenario.organization)
    notify_members(
        scenario.organization,
        EmailTopic.INVITATION_UNCERTAIN,
        "k",
        subject="The invitation was possibly sent",
        lines=[f"CodeScreen said something about {NAME}"],
        invitation=scenario.pending_invitation(),
    )
    effect = Effect.objects.get(kind="send_alert")
    assert NAME in str(effect.payload)
    forget(scenario)
    effect.refresh_from_db()
    assert (effect.state, effect.payload) == ("cancelled", {})
    assert traces(NAME, ADDRESS) == []


def test_an_alert_about_nobody_that_mentions_the_person_is_emptied_and_not_sent(scenario):
    factories.alert_address(scenario.organization)
    scenario.pending_invitation()
    notify_members(
        scenario.organization, EmailTopic.INCIDENT_BEGUN, "k", subject="A problem", lines=[f"It names {NAME}"]
    )
    forget(scenario)
    effect = Effect.objects.get(kind="send_alert")
    assert effect.payload == {}
    scenario.work_waiting()
    effect.refresh_from_db()
    assert effect.state == "cancelled"
    assert traces(NAME, ADDRESS) == []


def test_old_alerts_are_emptied_with_the_old_emails(organization):
    organization.retention_days = 30
    organization.save()
    long_ago = timezone.now() - timedelta(days=60)
    old, waiting = (
        factories.EffectFactory.create(
            organization=organization,
            kind="send_alert",
            key=state,
            opportunity_id="",
            payload={"type": "incident", "lines": ["x"], "address": 1},
            state=state,
            due_at=None if state == "done" else timezone.now(),
            created_at=long_ago,
        )
        for state in ("done", "due")
    )
    while retention.purge(organization):
        pass
    old.refresh_from_db()
    waiting.refresh_from_db()
    assert old.payload == {}
    assert waiting.payload["lines"] == ["x"]
