"""What the workers work, in which order, and what they survive."""

import time
from datetime import timedelta
from unittest import mock

import pytest
from django.db import OperationalError
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Schedule

from integrations.http.errors import CallDeferred, PlatformError
from integrations.models import Delivery, Effect, Heartbeat, Invitation, LeverConnection
from integrations.queue import duties, liveness, on_request, schedules, task_names, worker
from integrations.workflow.inbox import handle_delivery
from integrations.workflow.outbox import enqueue
from portal.devtools.sandbox.ids import stable_id
from tests import factories


def test_schedules_are_written_once(db):
    for _ in range(2):
        schedules.ensure_schedules()
    assert set(Schedule.objects.values_list("name", flat=True)) == {
        "drain",
        *(duty.value for duty in schedules.Duty),
    }
    assert set(schedules.DUTIES) == set(schedules.Duty)
    for name in (task_names.DRAIN, task_names.PERFORM_DUTY, task_names.REFRESH_CATALOG):
        assert callable(import_string(name))
    assert not OrmQ.objects.exists()


# the worker


def test_effects_and_deliveries_take_turns(db, monkeypatch):
    organization = factories.OrganizationFactory()
    done = []

    def perform(effect):
        done.append("effect")
        effect.finish()

    def decide(delivery):
        done.append("delivery")
        delivery.release(due_at=None)

    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setattr(worker, "decide", decide)
    for number in range(3):
        factories.EffectFactory(organization=organization, opportunity_id=f"o{number}")
        factories.DeliveryFactory(organization=organization)
    assert worker.work() == 6
    assert set(done[:2]) == {"effect", "delivery"}


@pytest.mark.django_db(transaction=True)
def test_draining_ends_when_nothing_is_due(organization, monkeypatch):
    for number in range(12):
        factories.EffectFactory(organization=organization, opportunity_id=f"o{number}")
    monkeypatch.setattr(worker, "perform_effect", lambda row: row.finish())
    started = time.monotonic()
    worker.drain(20)
    assert time.monotonic() - started < 10
    assert set(Effect.objects.values_list("state", flat=True)) == {"done"}
    assert Heartbeat.is_fresh(liveness.DRAIN, timedelta(seconds=15))


@pytest.mark.django_db(transaction=True)
def test_a_drain_ends_without_an_error_when_the_database_goes_away(organization, monkeypatch):
    factories.EffectFactory(organization=organization)

    def lose_database(_):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(worker, "perform_effect", lose_database)
    worker.drain(1)
    effect = Effect.objects.get()
    assert (effect.state, effect.attempts) == ("due", 1)
    assert effect.leased_until is not None


# the schedules


def test_the_daily_refresh_replaces_the_refresh_token(connected_organization, sandbox):
    before = LeverConnection.objects.get()
    duties.refresh_grants()
    assert LeverConnection.objects.get().generation == before.generation
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(hours=21))
    duties.refresh_grants()
    after = LeverConnection.objects.get()
    assert after.generation == before.generation + 1
    assert after.refresh_token != before.refresh_token
    assert after.refreshed_at is not None
    assert after.refreshed_at > timezone.now() - timedelta(minutes=1)


def test_the_daily_refresh_finds_a_revoked_grant(connected_organization, sandbox):
    sandbox.lever_does("revoke")
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(hours=21))
    duties.refresh_grants()
    assert LeverConnection.objects.get().state == "needs_reconnect"
    assert Effect.objects.filter(kind="send_email").count() == 1


def test_other_organizations_are_swept_when_one_sweep_crashes(db, monkeypatch):
    first, second = factories.OrganizationFactory(name="A"), factories.OrganizationFactory(name="B")
    swept = []

    def sweep_and_crash(organization, **_):
        swept.append(organization)
        if organization == first:
            raise KeyError

    monkeypatch.setattr(duties, "sweep_organization", sweep_and_crash)
    duties.sweep_all()
    assert swept == [first, second]


def test_polling_an_organization_returns_how_many_invitations_were_polled(connected_organization, sandbox):
    for status, instance in (("invited", "i1"), ("in_progress", "i2"), ("completed", "i3"), ("pending", "")):
        factories.InvitationFactory(organization=connected_organization, status=status, instance_id=instance)
    factories.InvitationFactory(status="invited", instance_id="i4")  # another organization's
    assert on_request.poll_organization(connected_organization) == 2
    assert on_request.poll_organization(connected_organization, everything=True) == 3


def test_a_key_refused_while_polling_is_marked_and_notified_once(connected_organization, sandbox):
    connected_organization.codescreen_connection.api_key = "wrong"
    connected_organization.codescreen_connection.save()
    for number in range(2):
        factories.InvitationFactory(
            organization=connected_organization, status="invited", instance_id=f"i{number}"
        )
    on_request.poll_organization(connected_organization)
    connected_organization.codescreen_connection.refresh_from_db()
    assert connected_organization.codescreen_connection.state == "refused"
    for _ in range(2):
        duties.update_incidents()
    assert Effect.objects.filter(kind="send_email").count() == 1


def test_waiting_deliveries_are_requeued_when_the_reconnection_was_missed(
    connected_organization, queued_tasks
):
    row = factories.DeliveryFactory(
        organization=connected_organization, verdict="disconnected", decided_at=timezone.now(), due_at=None
    )
    duties.requeue_waiting()
    assert Delivery.objects.due().get() == row


def test_requeueing_does_not_shorten_the_wait_of_effects(connected_organization, queued_tasks):
    in_an_hour = timezone.now() + timedelta(hours=1)
    factories.DeliveryFactory(
        organization=connected_organization,
        verdict="disconnected",
        decided_at=timezone.now(),
        due_at=in_an_hour,
    )
    effect = factories.EffectFactory(organization=connected_organization, due_at=in_an_hour)
    duties.requeue_waiting()
    effect.refresh_from_db()
    assert effect.due_at == in_an_hour


def test_a_refused_key_is_retried_and_works_again(connected_organization, sandbox, queued_tasks):
    connected_organization.codescreen_connection.mark_refused("CodeScreen answered 401")
    duties.retry_refused_keys()
    connected_organization.codescreen_connection.refresh_from_db()
    assert connected_organization.codescreen_connection.is_working


def test_a_deferred_delivery_loses_no_attempt(connected_organization, monkeypatch):
    factories.DeliveryFactory(organization=connected_organization)
    monkeypatch.setattr(
        handle_delivery,
        "decide_delivery",
        mock.Mock(side_effect=CallDeferred(30, "waiting for a free slot")),
    )
    claimed = factories.claimed(Delivery, "me")
    worker.decide(claimed)
    delivery = Delivery.objects.get()
    assert delivery.attempts == 0
    assert delivery.due_at is not None
    assert timedelta(seconds=25) < delivery.due_at - timezone.now() < timedelta(seconds=31)


def test_a_delivery_waits_as_long_as_the_platform_asks_for(connected_organization, monkeypatch):
    factories.DeliveryFactory(organization=connected_organization)
    error = PlatformError("busy", status=429, retry_after=120)
    monkeypatch.setattr(handle_delivery, "decide_delivery", mock.Mock(side_effect=error))
    claimed = factories.claimed(Delivery, "me")
    worker.decide(claimed)
    delivery = Delivery.objects.get()
    assert delivery.due_at is not None
    assert timedelta(seconds=110) < delivery.due_at - timezone.now() < timedelta(seconds=121)
    assert delivery.last_error == "busy"


def test_effects_of_a_lost_connection_wait_and_are_performed_after_reconnecting(
    connected_organization, sandbox
):
    invitation = factories.InvitationFactory(
        organization=connected_organization,
        opportunity_id=sandbox.opportunity_id("Alder"),
        assessment_id=stable_id("acme", "assessment", "Backend"),
    )
    enqueue.enqueue_invitation(invitation)
    enqueue.enqueue_note(
        connected_organization, invitation.opportunity_id, "no_email", "CodeScreen: nothing was sent."
    )
    LeverConnection.objects.update(state="needs_reconnect")
    worker.work()
    assert Invitation.objects.get().status == "invited"  # CodeScreen isn't concerned
    waiting = Effect.objects.filter(state="due")
    assert {row.kind for row in waiting} >= {"leave_note", "set_progress_tag"}
    assert {row.attempts for row in waiting} == {0}
    LeverConnection.objects.update(state="connected")
    Effect.objects.filter(state="due").update(due_at=timezone.now() - timedelta(seconds=1))
    worker.work()
    assert sandbox.opportunity("Alder")["notes"] == 1
