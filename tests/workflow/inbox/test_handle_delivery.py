"""Bring a delivery to its verdict: retries, crashes, replaced workers."""

import threading
from datetime import timedelta
from unittest import mock

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.http.errors import CallDeferred, PlatformError
from integrations.models import (
    Delivery,
    Effect,
    Invitation,
)
from integrations.models.leasing import MAX_CONSECUTIVE_CRASHES
from integrations.queue import on_request, worker
from integrations.workflow.inbox import facts, handle_delivery
from integrations.workflow.operations.policies import set_policies
from tests import factories
from tests.workflow.inbox.conftest import verdict

ALDER = "alder@candidates.example"


@pytest.mark.parametrize("event", ["candidateHired", "candidateArchiveChange", "interviewCreated", "x"])
def test_an_ignored_event_needs_no_call(scenario, deliver_stage_change, event):
    delivery = deliver_stage_change(event=event)
    scenario.work()
    assert verdict(delivery) == "ignored_event"
    assert not delivery.calls.exists()


def test_the_opportunity_is_not_read_when_the_stage_is_no_trigger(scenario, sandbox, move_candidate):
    delivery = move_candidate(stage="Phone screen")
    scenario.lever_fails("/opportunities/", method="GET", status=500, times=9)
    scenario.work()
    assert verdict(delivery) == "not_a_trigger_stage"


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_delivery_is_not_visible_when_lever_keeps_refusing_the_opportunity(
    scenario, move_candidate, status
):
    delivery = move_candidate()
    scenario.lever_fails("/opportunities/[^/]+$", method="GET", times=100, status=status)
    scenario.work()
    assert verdict(delivery) == "not_visible"


@pytest.mark.parametrize("kind", ["status", "reset_before", "truncated"])
def test_a_delivery_is_retried_when_lever_fails(scenario, sandbox, move_candidate, kind):
    delivery = move_candidate()
    scenario.lever_fails("/opportunities/", method="GET", kind=kind, times=1)
    scenario.work()
    assert verdict(delivery) == ""
    assert delivery.last_error
    assert delivery.due_at > timezone.now()
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    scenario.work()
    assert verdict(delivery) == "invite"
    assert delivery.last_error == ""


def test_a_crashing_delivery_is_given_up_and_others_are_decided(
    scenario, sandbox, move_candidate, monkeypatch
):
    crashing, other = move_candidate("Alder"), move_candidate("Tamarack")
    gather = facts.gather_facts

    def crash(delivery, *more):
        if delivery.pk == crashing.pk:
            raise KeyError(ALDER)
        return gather(delivery, *more)

    monkeypatch.setattr("integrations.workflow.inbox.decide_delivery.gather_facts", crash)
    for _ in range(MAX_CONSECUTIVE_CRASHES + 2):
        Delivery.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - timedelta(seconds=1))
        scenario.work()
    assert verdict(crashing) == ""
    assert (crashing.due_at, crashing.attempts, crashing.is_stuck) == (None, MAX_CONSECUTIVE_CRASHES, True)
    assert "KeyError" in crashing.last_error
    assert ALDER not in crashing.last_error + crashing.traceback
    assert verdict(other) in {"invite", "ambiguous_assessment", "no_assessment"}


def test_a_worker_whose_lease_was_taken_over_decides_nothing(scenario, sandbox, move_candidate):
    delivery = move_candidate()
    slow_delivery = factories.claimed(Delivery, "slow")
    Delivery.objects.update(lease_owner="another")
    worker.decide(slow_delivery)
    assert verdict(delivery) == ""
    assert delivery.lease_owner == "another"
    assert not Invitation.objects.exists()
    assert not Effect.objects.filter(kind="send_invitation").exists()


def test_a_delivery_is_decided_when_its_first_worker_was_killed(scenario, sandbox, move_candidate):
    delivery = move_candidate()
    Delivery.claim("gone")
    scenario.work()
    assert verdict(delivery) == ""
    Delivery.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    scenario.work()
    assert verdict(delivery) == "invite"
    assert delivery.attempts == 2


def test_a_preview_writes_nothing(scenario, sandbox, move_candidate):
    delivery = move_candidate()
    decision = on_request.preview(delivery)
    assert decision.verdict == "invite"
    assert verdict(delivery) == ""
    assert not Invitation.objects.exists()
    assert not Effect.objects.filter(kind="send_invitation").exists()


def test_a_replay_replaces_the_verdict_and_is_audited(scenario, sandbox, move_candidate, super_admin):
    delivery = move_candidate("Hazel")
    scenario.work()
    assert verdict(delivery) == "no_assessment"
    set_policies(scenario.organization, {"default_assessment": "Backend"}, super_admin)
    assert on_request.replay(delivery, super_admin).verdict == "invite"
    scenario.work()
    assert verdict(delivery) == "invite"
    assert sandbox.invitations_sent("hazel@candidates.example") == 1
    entry = scenario.organization.audit_entries.get(action="replay")
    assert entry.changes == {"verdict": ["no_assessment", "invite"]}


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_invite_one_candidate_once(
    scenario, sandbox, move_candidate, deliver_stage_change
):
    for number in range(6):
        (deliver_stage_change if number else move_candidate)(dedupe_key=f"id:{number}")
    failed = []

    def work():
        try:
            worker.work()
        except Exception as error:  # noqa: BLE001 - shown below
            failed.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    worker.work()
    assert failed == []
    assert sorted(Delivery.objects.values_list("verdict", flat=True)) == ["already_invited"] * 5 + ["invite"]
    assert Invitation.objects.count() == 1
    assert sandbox.invitations_sent() == 1


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
