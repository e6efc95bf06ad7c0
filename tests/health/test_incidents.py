"""One e-mail when a problem begins and one when it ends, however many rows it concerns."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from integrations.case.other_integration import record_tag
from integrations.clients.models import CircuitBreaker
from integrations.core.finding_code import INCIDENTS
from integrations.health import incidents
from integrations.health.models import Incident
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import apply_outcome
from integrations.outbox.sending import give_up
from tests.invitations.test_acts import sending
from tests.notifications.outgoing import send_all
from tests.support import factories
from tests.support.effects import enqueue_invitation


def subjects() -> list[str]:
    """Send what waits, and return the subjects of all e-mails so far."""
    return [str(message.subject) for message in send_all()]


def hold_invitation(organization) -> Invitation:
    return factories.InvitationFactory.create(organization=organization, status="held")


def fail_effect(organization) -> Effect:
    return factories.EffectFactory.create(
        organization=organization, state="failed", due_at=None, failed_at=timezone.now()
    )


def open_circuit_breaker(organization) -> CircuitBreaker:
    return CircuitBreaker.objects.create(
        organization=organization, platform="codescreen", failures=CircuitBreaker.FAILURES_TO_OPEN
    )


#: Told at once, told of once it lasts, an outage, and what holds up all but the e-mail about it.
PROBLEMS: dict[str, tuple[Any, Any]] = {
    "held_invitations": (hold_invitation, lambda _: Invitation.objects.update(status="withdrawn")),
    "failed_effects": (fail_effect, lambda _: Effect.objects.filter(state="failed").update(state="done")),
    "other_integration": (record_tag, lambda _: Organization.objects.update(other_integration_off=True)),
    "platform_down": (open_circuit_breaker, lambda _: CircuitBreaker.objects.update(failures=0)),
}


def let_it_last(code: str) -> None:
    """Let a problem last longer than it must to be worth an e-mail."""
    began = timezone.now() - INCIDENTS[code].notify_after - timedelta(seconds=1)
    Incident.objects.filter(code=code).update(began_at=began)


def test_an_outage_lasts_from_the_first_call_without_an_answer_to_the_first_with_one(healthy_organization):
    first = timezone.now() - timedelta(minutes=50)
    tries = [
        (first - timedelta(minutes=1), True),
        *((first + timedelta(minutes=minutes), False) for minutes in range(CircuitBreaker.FAILURES_TO_OPEN)),
    ]
    for at, is_answer in tries:
        CircuitBreaker.record(healthy_organization, "codescreen", at, is_answer=is_answer)
    incidents.update_incidents(healthy_organization)
    assert Incident.objects.get().began_at == first
    answered = first + timedelta(minutes=46)
    CircuitBreaker.record(healthy_organization, "codescreen", answered, is_answer=True)
    incidents.update_incidents(healthy_organization)
    incident = Incident.objects.get()
    assert (incident.began_at, incident.ended_at) == (first, answered)


@pytest.mark.parametrize("code", PROBLEMS)
def test_members_are_notified_once_of_the_beginning_and_once_of_the_end(healthy_organization, code):
    begin, end = PROBLEMS[code]
    begin(healthy_organization)
    incidents.update_incidents(healthy_organization)
    let_it_last(code)
    for _ in range(3):
        incidents.update_incidents(healthy_organization)
    wording = INCIDENTS[code]
    assert subjects() == [wording.begin_subject]
    assert "http://testserver/" in mail.outbox[0].body
    end(healthy_organization)
    for _ in range(3):
        incidents.update_incidents(healthy_organization)
    assert subjects() == [wording.begin_subject, wording.end_subject]
    incident = Incident.objects.get()
    lasted = f"from {incident.began_at:%-d %B %Y, %H:%M} to {incident.ended_at:%-d %B %Y, %H:%M} UTC"
    assert lasted in mail.outbox[1].body


@pytest.mark.parametrize(
    ("code", "add_row"), [("held_invitations", hold_invitation), ("failed_effects", fail_effect)]
)
def test_rows_added_to_an_unsettled_problem_are_notified_within_the_limit(
    healthy_organization, code, add_row
):
    add_row(healthy_organization)
    incidents.update_incidents(healthy_organization)
    let_it_last(code)
    incidents.update_incidents(healthy_organization)
    add_row(healthy_organization)  # within the hour that an e-mail covers
    incidents.update_incidents(healthy_organization)
    begin_subject = INCIDENTS[code].begin_subject
    assert subjects() == [begin_subject]
    Incident.objects.update(
        notified_at=timezone.now() - incidents.NOTIFY_AT_MOST_EVERY - timedelta(seconds=1)
    )
    for _ in range(3):
        incidents.update_incidents(healthy_organization)
    assert subjects() == [begin_subject, begin_subject]
    Incident.objects.update(notified_at=timezone.now() + timedelta(hours=2))
    incidents.update_incidents(healthy_organization)
    assert subjects() == [begin_subject, begin_subject]


@pytest.mark.parametrize("code", ["failed_effects", "platform_down"])
def test_nobody_is_notified_when_a_problem_ends_before_it_is_worth_an_email(healthy_organization, code):
    begin, end = PROBLEMS[code]
    begin(healthy_organization)
    incidents.update_incidents(healthy_organization)
    end(healthy_organization)
    incidents.update_incidents(healthy_organization)
    assert subjects() == []
    assert not Incident.objects.ongoing().exists()


def test_a_problem_that_comes_and_goes_is_notified_once_an_hour(healthy_organization):
    for _ in range(5):
        hold_invitation(healthy_organization)
        incidents.update_incidents(healthy_organization)
        subjects()
        Invitation.objects.update(status="withdrawn")
        incidents.update_incidents(healthy_organization)
    assert len(subjects()) == 2
    Incident.objects.update(
        notified_at=timezone.now() - incidents.NOTIFY_AT_MOST_EVERY - timedelta(seconds=1)
    )
    hold_invitation(healthy_organization)
    incidents.update_incidents(healthy_organization)
    assert len(subjects()) == 3


def test_nobody_is_told_of_a_problem_that_is_over_before_the_email_is_sent(healthy_organization):
    hold_invitation(healthy_organization)
    incidents.update_incidents(healthy_organization)
    Invitation.objects.update(status="withdrawn")
    incidents.update_incidents(healthy_organization)
    assert subjects() == []
    assert Effect.objects.get(kind="send_email").state == "cancelled"


def test_the_end_of_uncertain_invitations_is_notified(healthy_organization):
    row = factories.InvitationFactory.create(organization=healthy_organization, status="uncertain")
    incidents.update_incidents(healthy_organization)
    assert subjects() == []  # each is notified where it became uncertain
    Invitation.objects.filter(pk=row.pk).update(status="failed")
    incidents.update_incidents(healthy_organization)
    assert subjects() == ["It is clear which invitations were sent"]


def test_only_the_worker_that_begins_an_incident_notifies(healthy_organization, monkeypatch):
    hold_invitation(healthy_organization)
    monkeypatch.setattr(Incident.objects, "ongoing", Incident.objects.none)
    Incident.objects.create(organization=healthy_organization, code="held_invitations")
    incidents.update_incidents(healthy_organization)
    assert subjects() == []


def test_who_needs_approval_is_named_in_the_email_and_not_in_the_outbox(healthy_organization):
    hold_invitation(healthy_organization)
    Invitation.objects.update(candidate_name="Candidate Birch")
    incidents.update_incidents(healthy_organization)
    assert "Birch" not in str(Effect.objects.get(kind="send_email").payload)
    assert subjects() == ["Invitations need approval"]
    assert "1 candidate needs approval.\n\nCandidate Birch" in mail.outbox[0].body
    assert "/activity/?status=held" in mail.outbox[0].body


@pytest.mark.slow
def test_dozens_of_failures_at_once_are_a_handful_of_emails(healthy_organization):
    """A platform's outage makes 40 uncertain and 40 fail while a bulk move holds 20."""
    factories.InvitationFactory.create_batch(20, organization=healthy_organization, status="held")
    for status in ("sending", "pending"):
        for invitation in factories.InvitationFactory.create_batch(
            40, organization=healthy_organization, status=status
        ):
            sending(invitation, "due", due_at=factories.a_moment_ago())
            effect = factories.claimed(Effect, "one")
            apply_outcome(effect, give_up(effect, "CodeScreen answered 503"), None)
        incidents.update_incidents(healthy_organization)
    assert Invitation.objects.filter(status="uncertain").count() == 40
    assert Invitation.objects.filter(status="failed").count() == 40
    Effect.objects.exclude(kind="send_email").delete()
    sent = subjects()
    assert sorted(sent) == [
        "Alder: the invitation could not be sent",
        "Alder: the invitation was possibly sent",
        "Invitations need approval",
    ]
    assert all(
        "All are under Candidates › Need you." in one.body for one in mail.outbox if "Alder" in one.subject
    )
    # after half an hour the next one is told of again
    Effect.objects.filter(kind="send_email").update(created_at=timezone.now() - timedelta(minutes=31))
    invitation = factories.InvitationFactory.create(organization=healthy_organization, status="pending")
    enqueue_invitation(invitation)
    effect = factories.claimed(Effect, "one")
    apply_outcome(effect, give_up(effect, "CodeScreen answered 503"), None)
    assert Effect.objects.filter(kind="send_email", state="due").count() == 1
