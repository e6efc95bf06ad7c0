"""One e-mail when a problem begins and one when it is over, whatever happens a thousand times in between."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.models import (
    CircuitBreaker,
    CodeScreenConnection,
    Delivery,
    Effect,
    EmailTopic,
    Heartbeat,
    Incident,
    Invitation,
    LeverProbe,
)
from integrations.queue import duties, worker
from integrations.workflow.catalog import sync
from integrations.workflow.effects.apply_outcome import apply_outcome
from integrations.workflow.effects.invitation_endings import give_up
from integrations.workflow.email.notify import notify_members
from integrations.workflow.health import incidents
from integrations.workflow.outbox import enqueue
from tests import factories


@pytest.fixture
def acme(organization, super_admin):
    """An organization whose Super Admin gets every kind of e-mail."""
    Heartbeat.beat("drain")
    factories.LeverConnectionFactory.create(organization=organization)
    factories.CodeScreenConnectionFactory.create(organization=organization)
    factories.LeverWebhookFactory.create(organization=organization, last_received_at=timezone.now())
    return organization


def subjects() -> list[str]:
    """Send what waits, and return the subjects of all e-mails so far."""
    Effect.objects.filter(state="due").update(due_at="2020-01-01T00:00:00Z")
    worker.work()
    return [str(message.subject) for message in mail.outbox]


def hold(organization) -> Invitation:
    return factories.InvitationFactory.create(organization=organization, status="held")


def fail_effect(organization) -> Effect:
    return factories.EffectFactory.create(organization=organization, state="failed", due_at=None)


def is_down(organization) -> CircuitBreaker:
    return CircuitBreaker.objects.create(
        organization=organization, platform="codescreen", failures=CircuitBreaker.FAILURES_TO_OPEN
    )


def repaired(organization) -> Delivery:
    return factories.DeliveryFactory.create(
        organization=organization,
        event="sweep",
        verdict="invite",
        decided_at=timezone.now(),
        due_at=None,
        invitation=factories.InvitationFactory.create(organization=organization),
    )


def is_silent(organization) -> None:
    heard = timezone.now() - timedelta(hours=9)
    organization.lever_webhooks.update(last_received_at=heard)
    LeverProbe.objects.create(
        organization=organization, checked_at=timezone.now(), missed_events=7, silent_since=heard
    )


def is_removed(organization) -> None:
    now = timezone.now()
    organization.lever_webhooks.update(missing_since=now, listed_at=now - timedelta(days=1))


def is_stuck(organization) -> Delivery:
    return factories.DeliveryFactory.create(organization=organization, due_at=None, last_error="A bug.")


PROBLEMS: dict[str, tuple[Any, Any]] = {
    "held_invitations": (hold, lambda _: Invitation.objects.update(status="withdrawn")),
    "failed_effects": (fail_effect, lambda _: Effect.objects.filter(state="failed").update(state="done")),
    "stuck_deliveries": (is_stuck, lambda _: Delivery.objects.update(last_error="")),
    "codescreen_key_refused": (
        lambda organization: sync.mark_key_refused(organization, "CodeScreen answered 401"),
        lambda _: CodeScreenConnection.objects.update(state="connected"),
    ),
    "platform_down": (is_down, lambda _: CircuitBreaker.objects.update(failures=0)),
    "sweep_repaired": (
        repaired,
        lambda _: Delivery.objects.update(received_at=timezone.now() - timedelta(hours=25)),
    ),
    "webhook_removed": (
        is_removed,
        lambda organization: organization.lever_webhooks.update(missing_since=None),
    ),
    "webhook_silence": (
        is_silent,
        lambda organization: organization.lever_webhooks.update(last_received_at=timezone.now()),
    ),
}


def lasts(code: str) -> None:
    """Let a problem last longer than it must to be worth an e-mail."""
    began = timezone.now() - incidents.WORDINGS[code].notify_after - timedelta(seconds=1)
    Incident.objects.filter(code=code).update(began_at=began)


def test_every_problem_that_is_watched_is_tried_here():
    told_elsewhere = {code for code, wording in incidents.WORDINGS.items() if not wording.begin_subject}
    assert set(PROBLEMS) | told_elsewhere == set(incidents.WORDINGS)


@pytest.mark.parametrize("code", PROBLEMS)
def test_a_problem_is_told_once_and_its_end_once(acme, code):
    begin, end = PROBLEMS[code]
    begin(acme)
    incidents.update_incidents(acme)
    lasts(code)
    for _ in range(3):
        incidents.update_incidents(acme)
    wording = incidents.WORDINGS[code]
    assert subjects() == [wording.begin_subject]
    assert "http://testserver/" in mail.outbox[0].body
    end(acme)
    for _ in range(3):
        incidents.update_incidents(acme)
    assert subjects() == [wording.begin_subject, wording.end_subject]
    assert Incident.objects.get().ended_at is not None


@pytest.mark.parametrize(("code", "happen"), [("held_invitations", hold), ("failed_effects", fail_effect)])
def test_what_nobody_settles_does_not_hide_what_comes_later(acme, code, happen):
    happen(acme)
    incidents.update_incidents(acme)
    lasts(code)
    incidents.update_incidents(acme)
    happen(acme)  # within the hour that an e-mail covers
    incidents.update_incidents(acme)
    begins = incidents.WORDINGS[code].begin_subject
    assert subjects() == [begins]
    Incident.objects.update(
        notified_at=timezone.now() - incidents.NOTIFY_AT_MOST_EVERY - timedelta(seconds=1)
    )
    for _ in range(3):
        incidents.update_incidents(acme)
    assert subjects() == [begins, begins]
    Incident.objects.update(notified_at=timezone.now() + timedelta(hours=2))
    incidents.update_incidents(acme)
    assert subjects() == [begins, begins]


@pytest.mark.parametrize("code", [code for code, found in incidents.WORDINGS.items() if found.notify_after])
def test_what_passes_by_itself_is_told_to_nobody(acme, code):
    begin, end = PROBLEMS[code]
    begin(acme)
    incidents.update_incidents(acme)
    end(acme)
    incidents.update_incidents(acme)
    assert subjects() == []
    assert not Incident.objects.ongoing().exists()


def test_what_comes_and_goes_is_told_once_an_hour(acme):
    for _ in range(20):
        hold(acme)
        incidents.update_incidents(acme)
        Invitation.objects.update(status="withdrawn")
        incidents.update_incidents(acme)
    assert len(subjects()) == 2
    Incident.objects.update(
        notified_at=timezone.now() - incidents.NOTIFY_AT_MOST_EVERY - timedelta(seconds=1)
    )
    hold(acme)
    incidents.update_incidents(acme)
    assert len(subjects()) == 3


def test_a_spell_that_is_too_soon_to_tell_is_told_when_it_lasts(acme):
    hold(acme)
    incidents.update_incidents(acme)
    Invitation.objects.update(status="withdrawn")
    incidents.update_incidents(acme)
    hold(acme)
    incidents.update_incidents(acme)
    assert len(subjects()) == 2
    Incident.objects.update(notified_at=None)
    incidents.update_incidents(acme)
    assert len(subjects()) == 3


def test_the_end_of_uncertainty_is_told(acme):
    row = factories.InvitationFactory.create(organization=acme, status="uncertain")
    incidents.update_incidents(acme)
    assert subjects() == []  # each is told of where it became uncertain
    Invitation.objects.filter(pk=row.pk).update(status="failed")
    incidents.update_incidents(acme)
    assert subjects() == ["Every uncertain invitation is settled"]


def test_a_problem_lasts_in_one_row(acme):
    Incident.objects.create(organization=acme, code="held_invitations")
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.create(organization=acme, code="held_invitations")


def test_another_worker_that_noticed_it_first_tells(acme, monkeypatch):
    hold(acme)
    monkeypatch.setattr(Incident.objects, "ongoing", Incident.objects.none)
    Incident.objects.create(organization=acme, code="held_invitations")
    incidents.update_incidents(acme)
    assert subjects() == []


def test_a_bug_in_one_organization_does_not_silence_the_others(acme, monkeypatch):
    first = factories.OrganizationFactory.create(name="Aardvark")
    hold(acme)
    watch = incidents.update_incidents

    def stumble(organization):
        if organization.pk == first.pk:
            raise ValueError
        watch(organization)

    monkeypatch.setattr(incidents, "update_incidents", stumble)
    duties.update_incidents()
    assert subjects() == ["Invitations wait for your approval"]


@pytest.mark.slow
def test_a_thousand_at_once_are_a_handful_of_emails(acme):
    """A platform's outage makes 400 uncertain and 400 fail while a bulk move holds 200."""
    factories.InvitationFactory.create_batch(200, organization=acme, status="held")
    for status in ("sending", "pending"):
        for invitation in factories.InvitationFactory.create_batch(400, organization=acme, status=status):
            enqueue.enqueue_invitation(invitation)
            effect = factories.claimed(Effect, "one")
            apply_outcome(effect, give_up(effect, "CodeScreen answered 503"), None)
        incidents.update_incidents(acme)
    assert Invitation.objects.filter(status="uncertain").count() == 400
    assert Invitation.objects.filter(status="failed").count() == 400
    Effect.objects.exclude(kind="send_email").delete()
    told = subjects()
    assert sorted(told) == [
        "Invitations wait for your approval",
        "Several invitations could not be sent",
        "Several invitations may or may not have been sent",
    ]
    details = next(message.body for message in mail.outbox if "may or may not" in message.subject)
    shown = details.count("CodeScreen answered 503")
    assert 0 < shown < 400
    assert f"And {400 - shown} more: http://testserver/activity/" in details
    # the next of the same kind is gathered for half an hour
    invitation = factories.InvitationFactory.create(organization=acme)
    notify_members(
        acme,
        EmailTopic.INVITATION_FAILED,
        f"{invitation.pk}:1",
        subject="An invitation could not be sent",
        lines=["x"],
    )
    waiting = Effect.objects.filter(kind="send_email", state="due").get()
    assert waiting.due_at is not None
    assert waiting.due_at > timezone.now() + timedelta(minutes=25)
