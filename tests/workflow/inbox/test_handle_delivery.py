"""Bring a delivery to its verdict, and write the rows that follow in the same transaction."""

import threading
from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.models import (
    CodeScreenConnection,
    Delivery,
    Effect,
    Invitation,
    LeverConnection,
    Organization,
    RoleMapping,
)
from integrations.models.leasing import MAX_CONSECUTIVE_CRASHES
from integrations.queue import on_request, worker
from integrations.workflow.health import incidents
from integrations.workflow.inbox import facts
from integrations.workflow.operations.codescreen_connection import save_codescreen_key
from integrations.workflow.operations.lever_connection import connect_lever, disconnect_lever
from integrations.workflow.operations.policies import set_policies
from tests import factories
from tests.workflow.conftest import ASSESSMENT

STAGE = "CodeScreen Assessment"
ALDER = "alder@candidates.example"


@pytest.fixture
def move_candidate(deliver_stage_change, sandbox):
    """Return what moves a candidate in Lever and stores the delivery."""

    def move(word="Alder", stage=STAGE, **changes):
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=stage)
        return deliver_stage_change(word, stage, **changes)

    return move


@pytest.fixture
def deliver_stage_change(scenario, sandbox):
    """Return what stores a delivery of a stage change."""

    def deliver(word="Alder", stage=STAGE, **changes):
        data = {"opportunityId": sandbox.opportunity_id(word), "toStageId": sandbox.stage_id(stage)}
        return factories.DeliveryFactory(
            organization=scenario.organization,
            opportunity_id=sandbox.opportunity_id(word),
            payload={"event": "candidateStageChange", "data": data},
            **changes,
        )

    return deliver


def verdict(delivery):
    """Return the verdict of a delivery, read again."""
    delivery.refresh_from_db()
    return delivery.verdict


def test_an_invitation_keeps_the_facts_it_was_decided_from(scenario, sandbox, move_candidate):
    delivery = move_candidate()
    scenario.work()
    assert verdict(delivery) == "invite", delivery.last_error
    invitation = Invitation.objects.get()
    assert delivery.invitation == invitation
    assert invitation.email == "alder@candidates.example"
    assert invitation.stage_name == STAGE
    assert invitation.role_title == "Backend Engineer"
    assert invitation.contact_id
    assert (delivery.due_at, delivery.leased_until, delivery.lease_owner) == (None, None, "")
    assert delivery.decided_at is not None


def test_a_delivery_records_what_named_the_assessment_until_it_is_decided_again(
    scenario, sandbox, move_candidate, super_admin
):
    Organization.objects.update(default_assessment=" backend")
    RoleMapping.objects.all().delete()
    sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id("Alder")], remove=["CodeScreen Backend"])
    delivery = move_candidate()
    scenario.work()
    assert verdict(delivery) == "invite", delivery.explanation
    assert (delivery.assessment_source, delivery.assessment_written) == ("default", " backend")
    Organization.objects.update(paused=True)
    on_request.replay(delivery, super_admin)
    assert verdict(delivery) == "paused"
    assert (delivery.assessment_source, delivery.assessment_written) == ("", "")


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


def test_an_invitation_is_withdrawn_when_the_candidate_leaves_before_starting(
    scenario, sandbox, move_candidate
):
    move_candidate()
    scenario.work()
    delivery = move_candidate(stage="Phone screen")
    scenario.work()
    invitation = Invitation.objects.get()
    assert verdict(delivery) == "not_a_trigger_stage"
    assert (invitation.status, delivery.invitation) == ("withdrawn", invitation)
    back = move_candidate()
    scenario.work()
    invitation.refresh_from_db()
    assert (verdict(back), invitation.status) == ("already_invited", "invited")
    assert sandbox.invitations_sent() == 1


def test_an_unsent_invitation_is_cancelled_when_the_candidate_leaves(scenario, sandbox, move_candidate):
    move_candidate()
    delivery = factories.claimed(Delivery, "me")
    worker.decide(delivery)
    leaves = move_candidate(stage="Phone screen")
    delivery = factories.claimed(Delivery, "me")
    worker.decide(delivery)
    scenario.work()
    assert verdict(leaves) == "not_a_trigger_stage"
    assert (Invitation.objects.get().status, scenario.latest_effect().state, sandbox.invitations_sent()) == (
        "withdrawn",
        "cancelled",
        0,
    )
    move_candidate()
    scenario.work()
    assert (Invitation.objects.get().status, sandbox.invitations_sent()) == ("invited", 1)


def test_a_started_invitation_is_followed_when_the_candidate_leaves_the_stage(
    scenario, sandbox, move_candidate
):
    move_candidate()
    scenario.work()
    scenario.candidate_does("start")
    move_candidate(stage="Phone screen")
    scenario.work()
    assert Invitation.objects.get().status == "in_progress"


@pytest.mark.parametrize(("setting", "expected"), [(True, 1), (False, 0)])
def test_a_skipped_candidate_gets_one_note(scenario, sandbox, move_candidate, setting, expected):
    scenario.organization.note_on_skip = setting
    scenario.organization.save()
    move_candidate("Hazel")
    scenario.work()
    move_candidate("Hazel")
    scenario.work()
    assert set(Delivery.objects.values_list("verdict", flat=True)) == {"no_assessment"}
    notes = sandbox.opportunity("Hazel")["note_texts"]
    assert len(notes) == expected
    assert all("no assessment was sent" in note and "Hazel" not in note and "@" not in note for note in notes)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_delivery_is_not_visible_when_lever_keeps_refusing_the_opportunity(
    scenario, move_candidate, status
):
    delivery = move_candidate()
    scenario.lever_fails("/opportunities/[^/]+$", method="GET", times=100, status=status)
    scenario.work()
    assert verdict(delivery) == "not_visible"


def test_invitations_beyond_the_bulk_limit_are_held_and_notified_once(scenario, sandbox, move_candidate):
    scenario.organization.bulk_limit = 1
    scenario.organization.save()
    scenario.organization.default_assessment = "Backend"
    scenario.organization.save()
    first, second, third = move_candidate("Alder"), move_candidate("Hazel"), move_candidate("Tamarack")
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


def test_the_bulk_limit_counts_reused_invitations(scenario, sandbox, move_candidate):
    type(scenario.organization).objects.update(bulk_limit=1, default_assessment="Backend")
    words = ("Alder", "Hazel", "Tamarack")
    for word in words:
        factories.InvitationFactory(
            organization=scenario.organization,
            opportunity_id=sandbox.opportunity_id(word),
            assessment_id=ASSESSMENT,
            status="withdrawn",
            created_at=timezone.now() - timedelta(days=1),
        )
    deliveries = [move_candidate(word) for word in words]
    scenario.work()
    assert [verdict(row) for row in deliveries] == ["invite", "held_for_approval", "held_for_approval"]
    assert sandbox.invitations_sent() == 1


# waiting for a connection


@pytest.mark.parametrize("what", ["paused", "no lever", "lever refused", "no codescreen", "key refused"])
def test_a_delivery_is_kept_while_disconnected_and_decided_when_connected_again(
    scenario, sandbox, move_candidate, super_admin, what
):
    match what:
        case "paused":
            set_policies(scenario.organization, {"paused": True}, super_admin)
        case "no lever":
            disconnect_lever(scenario.organization, super_admin)
        case "lever refused":
            LeverConnection.objects.update(state="needs_reconnect")
        case "no codescreen":
            CodeScreenConnection.objects.update(api_key="")
        case "key refused":
            CodeScreenConnection.objects.update(state="refused")
    delivery = move_candidate()
    scenario.work()
    assert verdict(delivery) == ("paused" if what == "paused" else "disconnected")
    assert delivery.due_at is None
    assert sandbox.invitations_sent() == 0
    match what:
        case "paused":
            set_policies(scenario.organization, {"paused": False}, super_admin)
        case "no lever" | "lever refused":
            account = sandbox.lever.accounts["acme"]
            grant = sandbox.lever.grants.grant(account, account.users[account.actor()], frozenset(_scopes()))
            connect_lever(
                scenario.organization,
                sandbox.lever.grants.issue(grant, account),
                super_admin,
                lever_user_id=account.actor(),
                lever_account_id=account.id,
            )
        case _:
            save_codescreen_key(scenario.organization, sandbox.api_key, super_admin)
    scenario.work()
    assert verdict(delivery) == "invite"
    assert sandbox.invitations_sent() == 1


def _scopes():
    return LeverConnection.objects.get().granted_scopes


def test_the_key_is_marked_refused_when_codescreen_refuses_it_while_deciding(
    scenario, sandbox, move_candidate
):
    CodeScreenConnection.objects.update(api_key="wrong", assessments_refreshed_at=None)
    delivery = move_candidate()
    scenario.work()
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    scenario.work()
    assert CodeScreenConnection.objects.get().state == "refused"
    assert verdict(delivery) == "disconnected"


def test_the_delivery_is_kept_when_the_grant_is_revoked_while_deciding(scenario, sandbox, move_candidate):
    delivery = move_candidate()
    sandbox.lever_does("revoke")
    scenario.work()
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    scenario.work()
    assert LeverConnection.objects.get().state == "needs_reconnect"
    assert verdict(delivery) == "disconnected"
    subjects = [row.payload["subject"] for row in Effect.objects.filter(kind="send_email")]
    assert subjects == ["Lever needs to be reconnected"]


# failing and crashing


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
