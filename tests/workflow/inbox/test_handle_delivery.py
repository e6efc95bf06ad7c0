"""Delivery → verdict → rows, in one transaction, whoever else is at it."""

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
def enter(tell, sandbox):
    """Move a candidate and put the delivery into the inbox."""

    def move(word="Alder", stage=STAGE, **changes):
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=stage)
        return tell(word, stage, **changes)

    return move


@pytest.fixture
def tell(scenario, sandbox):
    """Put a delivery into the inbox."""

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
    """Return what became of a delivery."""
    delivery.refresh_from_db()
    return delivery.verdict


def test_an_invitation_remembers_what_it_was_decided_from(scenario, sandbox, enter):
    delivery = enter()
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


def test_a_decided_delivery_records_what_named_the_assessment_until_it_is_decided_again(
    scenario, sandbox, enter, super_admin
):
    Organization.objects.update(default_assessment=" backend")
    RoleMapping.objects.all().delete()
    sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id("Alder")], remove=["CodeScreen Backend"])
    delivery = enter()
    scenario.work()
    assert verdict(delivery) == "invite", delivery.explanation
    assert (delivery.assessment_source, delivery.assessment_written) == ("default", " backend")
    Organization.objects.update(paused=True)
    on_request.replay(delivery, super_admin)
    assert verdict(delivery) == "paused"
    assert (delivery.assessment_source, delivery.assessment_written) == ("", "")


@pytest.mark.parametrize("event", ["candidateHired", "candidateArchiveChange", "interviewCreated", "x"])
def test_an_event_that_is_not_ours_needs_no_call(scenario, tell, event):
    delivery = tell(event=event)
    scenario.work()
    assert verdict(delivery) == "ignored_event"
    assert not delivery.calls.exists()


def test_a_stage_that_is_not_ours_is_not_read_for(scenario, sandbox, enter):
    delivery = enter(stage="Phone screen")
    scenario.lever_fails("/opportunities/", method="GET", status=500, times=9)
    scenario.work()
    assert verdict(delivery) == "not_a_trigger_stage"


def test_leaving_the_stage_withdraws_what_was_not_started(scenario, sandbox, enter):
    enter()
    scenario.work()
    delivery = enter(stage="Phone screen")
    scenario.work()
    invitation = Invitation.objects.get()
    assert verdict(delivery) == "not_a_trigger_stage"
    assert (invitation.status, delivery.invitation) == ("withdrawn", invitation)
    back = enter()
    scenario.work()
    invitation.refresh_from_db()
    assert (verdict(back), invitation.status) == ("already_invited", "invited")
    assert sandbox.invitations_sent() == 1


def test_leaving_before_it_went_out_cancels_it(scenario, sandbox, enter):
    enter()
    delivery = factories.claimed(Delivery, "me")
    worker.decide(delivery)
    leaves = enter(stage="Phone screen")
    delivery = factories.claimed(Delivery, "me")
    worker.decide(delivery)
    scenario.work()
    assert verdict(leaves) == "not_a_trigger_stage"
    assert (Invitation.objects.get().status, scenario.latest_effect().state, sandbox.invitations_sent()) == (
        "withdrawn",
        "cancelled",
        0,
    )
    enter()
    scenario.work()
    assert (Invitation.objects.get().status, sandbox.invitations_sent()) == ("invited", 1)


def test_who_has_started_is_followed_wherever_they_go(scenario, sandbox, enter):
    enter()
    scenario.work()
    scenario.candidate_does("start")
    enter(stage="Phone screen")
    scenario.work()
    assert Invitation.objects.get().status == "in_progress"


@pytest.mark.parametrize(("setting", "expected"), [(True, 1), (False, 0)])
def test_a_skip_leaves_one_note(scenario, sandbox, enter, setting, expected):
    scenario.organization.note_on_skip = setting
    scenario.organization.save()
    enter("Hazel")
    scenario.work()
    enter("Hazel")
    scenario.work()
    assert set(Delivery.objects.values_list("verdict", flat=True)) == {"no_assessment"}
    notes = sandbox.opportunity("Hazel")["note_texts"]
    assert len(notes) == expected
    assert all("no assessment was sent" in note and "Hazel" not in note and "@" not in note for note in notes)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_whom_lever_will_never_show_gets_a_verdict(scenario, enter, status):
    told = enter()
    scenario.lever_fails("/opportunities/[^/]+$", method="GET", times=100, status=status)
    scenario.work()
    assert verdict(told) == "not_visible"


def test_the_bulk_limit_holds_and_tells_once(scenario, sandbox, enter):
    scenario.organization.bulk_limit = 1
    scenario.organization.save()
    scenario.organization.default_assessment = "Backend"
    scenario.organization.save()
    first, second, third = enter("Alder"), enter("Hazel"), enter("Tamarack")
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


def test_the_bulk_limit_counts_who_is_taken_up_again(scenario, sandbox, enter):
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
    told = [enter(word) for word in words]
    scenario.work()
    assert [verdict(row) for row in told] == ["invite", "held_for_approval", "held_for_approval"]
    assert sandbox.invitations_sent() == 1


# waiting for a connection


@pytest.mark.parametrize("what", ["paused", "no lever", "lever refused", "no codescreen", "key refused"])
def test_what_cannot_be_decided_is_kept_and_decided_when_it_can(scenario, sandbox, enter, super_admin, what):
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
    delivery = enter()
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


def test_a_key_that_is_refused_while_deciding_is_noticed(scenario, sandbox, enter):
    CodeScreenConnection.objects.update(api_key="wrong", assessments_refreshed_at=None)
    delivery = enter()
    scenario.work()
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    scenario.work()
    assert CodeScreenConnection.objects.get().state == "refused"
    assert verdict(delivery) == "disconnected"


def test_a_grant_that_is_revoked_is_noticed_and_the_delivery_kept(scenario, sandbox, enter):
    delivery = enter()
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
def test_a_lever_that_fails_is_asked_again(scenario, sandbox, enter, kind):
    delivery = enter()
    scenario.lever_fails("/opportunities/", method="GET", kind=kind, times=1)
    scenario.work()
    assert verdict(delivery) == ""
    assert delivery.last_error
    assert delivery.due_at > timezone.now()
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    scenario.work()
    assert verdict(delivery) == "invite"
    assert delivery.last_error == ""


def test_a_poison_delivery_stops_and_others_go_on(scenario, sandbox, enter, monkeypatch):
    poison, fine = enter("Alder"), enter("Tamarack")
    gather = facts.gather_facts

    def crash(delivery, *more):
        if delivery.pk == poison.pk:
            raise KeyError(ALDER)
        return gather(delivery, *more)

    monkeypatch.setattr("integrations.workflow.inbox.decide_delivery.gather_facts", crash)
    for _ in range(MAX_CONSECUTIVE_CRASHES + 2):
        Delivery.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - timedelta(seconds=1))
        scenario.work()
    assert verdict(poison) == ""
    assert (poison.due_at, poison.attempts, poison.is_stuck) == (None, MAX_CONSECUTIVE_CRASHES, True)
    assert "KeyError" in poison.last_error
    assert ALDER not in poison.last_error + poison.traceback
    assert verdict(fine) in {"invite", "ambiguous_assessment", "no_assessment"}


def test_a_worker_that_slept_through_its_lease_decides_nothing(scenario, sandbox, enter):
    delivery = enter()
    slow = factories.claimed(Delivery, "slow")
    Delivery.objects.update(lease_owner="another")
    worker.decide(slow)
    assert verdict(delivery) == ""
    assert delivery.lease_owner == "another"
    assert not Invitation.objects.exists()
    assert not Effect.objects.filter(kind="send_invitation").exists()


def test_a_worker_killed_while_deciding_is_replaced(scenario, sandbox, enter):
    delivery = enter()
    Delivery.claim("gone")
    scenario.work()
    assert verdict(delivery) == ""
    Delivery.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    scenario.work()
    assert verdict(delivery) == "invite"
    assert delivery.attempts == 2


def test_a_preview_writes_nothing(scenario, sandbox, enter):
    delivery = enter()
    decision = on_request.preview(delivery)
    assert decision.verdict == "invite"
    assert verdict(delivery) == ""
    assert not Invitation.objects.exists()
    assert not Effect.objects.filter(kind="send_invitation").exists()


def test_a_replay_replaces_the_verdict_and_is_on_the_record(scenario, sandbox, enter, super_admin):
    delivery = enter("Hazel")
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
def test_workers_who_decide_the_same_person_at_once_invite_once(scenario, sandbox, enter, tell):
    for number in range(6):
        (tell if number else enter)(dedupe_key=f"id:{number}")
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
