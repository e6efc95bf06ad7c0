"""A note in Lever says what a candidate waits for, once, and another one how that ended."""

from datetime import timedelta

import pytest
from django.db.models import F

from integrations.codescreen.acts import save_codescreen_key
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ErasureCause
from integrations.effects import wait_notes
from integrations.effects.kinds.messages import LEAVE_NOTE
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations as acts
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.privacy.erase import erase
from integrations.queue import worker
from tests.effects.waiting import clock_strikes, minutes_pass
from tests.support import factories

ON_HOLD = (
    "is on hold until an Admin decides. Nothing was sent yet. "
    "Waits for approval: more than 1 candidate in 10 minutes."
)
CANCELLED = (
    "CodeScreen: “Backend” was cancelled by an Admin. Nothing was sent. "
    "To send it after all, move the candidate out of the stage and back in."
)
PAUSED = f"CodeScreen: {VerdictCode.PAUSED.record.wait_note}"


def test_an_invitation_on_hold_is_told_once_and_then_that_it_was_sent(scenario, held, notes, super_admin):
    minutes_pass(4)
    assert notes() == []
    for _ in range(3):
        minutes_pass()
    [on_hold] = notes()
    assert on_hold.startswith(f"CodeScreen: “Backend” {ON_HOLD}")
    acts.approve(held, super_admin)
    clock_strikes()
    assert scenario.reread(held).status == "invited"
    for _ in range(3):
        minutes_pass()
    assert notes() == [on_hold, "CodeScreen: “Backend” was sent to the candidate."]
    assert not Effect.objects.filter(open_wait__isnull=False).exists()


def test_what_is_settled_within_minutes_leaves_no_note(held, notes, super_admin):
    acts.approve(held, super_admin)
    worker.work()
    minutes_pass()
    assert notes() == []


@pytest.mark.parametrize("reason", ["", "Cy Alder called me"])
def test_a_refusal_is_told_without_what_the_admin_wrote(held, notes, super_admin, reason):
    minutes_pass()
    acts.cancel(held, super_admin, reason)
    minutes_pass()
    assert notes()[1:] == [CANCELLED]


def test_that_the_candidate_left_the_stage_is_told(scenario, held, notes, move_candidate):
    minutes_pass()
    move_candidate(stage="Phone screen")
    scenario.work()
    minutes_pass()
    [cancelled] = notes()[1:]
    assert cancelled == (
        "CodeScreen: “Backend” was cancelled. The candidate left the stage. Nothing was sent. "
        "To send it after all, move the candidate into the stage again."
    )


def test_no_note_is_left_about_a_wait_that_ended_before_it_went_out(scenario, held, notes, super_admin):
    Invitation.objects.update(changed_at=F("changed_at") - timedelta(minutes=6))
    wait_notes.tell_waits(scenario.organization)
    acts.cancel(held, super_admin)
    for _ in range(2):
        clock_strikes()
    told = scenario.latest_effect("leave_note", key__contains=":wait:")
    assert notes() == [CANCELLED]
    assert (told.state, told.end_reason, told.open_wait) == ("done", "wait_over", None)
    # the candidate's history doesn't say that it was left
    assert LEAVE_NOTE.done(told, LEAVE_NOTE.words(told)) == ""


def test_a_note_is_left_once_when_its_worker_was_killed(scenario, held, notes):
    minutes_pass()
    told = scenario.latest_effect("leave_note")
    Effect.objects.filter(pk=told.pk).update(state="due", done_at=None, due_at=told.created_at)
    clock_strikes()
    assert (len(notes()), scenario.latest_effect("leave_note").state) == (1, "done")


def fail_the_note(scenario) -> Effect:
    """Return the note about a wait, which Lever refuses."""
    Invitation.objects.update(changed_at=F("changed_at") - timedelta(minutes=6))
    wait_notes.tell_waits(scenario.organization)
    Effect.objects.filter(kind="leave_note").update(state="failed", due_at=None)
    return scenario.latest_effect("leave_note")


def try_again(told: Effect) -> None:
    Effect.objects.filter(pk=told.pk).update(state="due", due_at=told.created_at)


def test_a_failed_note_that_is_tried_again_is_not_left_once_the_wait_is_over(
    scenario, held, notes, super_admin
):
    told = fail_the_note(scenario)
    acts.cancel(held, super_admin)
    minutes_pass()
    try_again(told)
    minutes_pass()
    told.refresh_from_db()
    assert (notes(), told.end_reason) == ([], "wait_over")


def test_a_failed_note_that_is_tried_again_is_left_while_the_wait_lasts(scenario, held, notes, super_admin):
    try_again(fail_the_note(scenario))
    minutes_pass()
    assert len(notes()) == 1
    acts.cancel(held, super_admin)
    minutes_pass()
    assert notes()[1:] == [CANCELLED]


def test_the_end_of_a_note_that_is_tried_again_meanwhile_is_told_later(scenario, held, super_admin):
    told = fail_the_note(scenario)
    acts.cancel(held, super_admin)
    try_again(told)
    wait_notes._tell_end(told)
    told.refresh_from_db()
    assert told.open_wait == "held"


def test_two_workers_enqueue_each_note_once(scenario, held):
    Invitation.objects.update(changed_at=F("changed_at") - timedelta(minutes=6))
    for _ in range(2):
        wait_notes.tell_waits(scenario.organization)
    told = scenario.latest_effect("leave_note")
    Effect.objects.filter(pk=told.pk).update(state="done", due_at=None)
    Invitation.objects.filter(pk=held.pk).update(status="withdrawn")
    told.refresh_from_db()
    for _ in range(2):
        wait_notes._tell_end(told)
    assert Effect.objects.filter(kind="leave_note").count() == 2


def test_a_worker_that_read_what_waits_long_ago_tells_it_no_second_time(scenario, held, notes, monkeypatch):
    Invitation.objects.update(changed_at=F("changed_at") - timedelta(minutes=6))
    tell_wait = wait_notes._tell_wait

    def resume_late(*waiting):
        monkeypatch.setattr(wait_notes, "_tell_wait", tell_wait)
        wait_notes.tell_waits(scenario.organization)  # another worker, after the lease has ended
        worker.work()
        tell_wait(*waiting)

    monkeypatch.setattr(wait_notes, "_tell_wait", resume_late)
    wait_notes.tell_waits(scenario.organization)
    worker.work()
    assert len(notes()) == Effect.objects.filter(kind="leave_note").count() == 1


@pytest.mark.parametrize("is_decided", [False, True])
def test_a_missing_connection_to_codescreen_is_told(
    scenario,
    sandbox,
    notes,
    move_candidate,
    super_admin,
    is_decided,
):
    move_candidate()
    if is_decided:  # before the key was refused
        worker.decide(factories.claimed(Delivery, "me"))
    CodeScreenConnection.objects.update(state="refused")
    scenario.work()
    clock_strikes()
    minutes_pass()
    assert notes() == [f"CodeScreen: {VerdictCode.DISCONNECTED.record.wait_note}"]
    save_codescreen_key(scenario.organization, sandbox.api_key, super_admin)
    scenario.work()
    minutes_pass()
    assert notes()[1:] == ["CodeScreen: “Backend” was sent to the candidate."]


@pytest.mark.parametrize("minutes", [1, 6])
def test_a_short_pause_is_not_told_of_an_invitation_that_was_decided_long_ago(scenario, notes, minutes):
    invitation = scenario.pending_invitation()
    Invitation.objects.update(changed_at=F("changed_at") - timedelta(hours=1))
    scenario.set_policies(paused=True)
    clock_strikes()
    assert notes() == []
    minutes_pass(minutes)
    told = [PAUSED] if minutes > 5 else []
    assert notes() == told
    scenario.set_policies(paused=False)
    for _ in range(2):
        minutes_pass()
    assert scenario.reread(invitation).status == "invited"
    assert notes() == (told and [PAUSED, "CodeScreen: “Backend” was sent to the candidate."])
    assert not Effect.objects.filter(open_wait__isnull=False).exists()


def test_nothing_is_told_after_lever_was_disconnected_of_what_is_settled_by_then(
    scenario,
    notes,
    move_candidate,
):
    LeverConnection.objects.update(state="needs_reconnect")
    move_candidate()
    scenario.work()
    minutes_pass()
    assert not Effect.objects.filter(kind="leave_note").exists()
    LeverConnection.objects.update(state="connected")
    Delivery.objects.requeue(scenario.organization)
    scenario.work()
    minutes_pass()
    assert (Invitation.objects.get().status, notes()) == ("invited", [])


def test_what_still_waits_when_lever_is_back_is_told_then(scenario, held, notes):
    LeverConnection.objects.update(state="needs_reconnect")
    minutes_pass()
    LeverConnection.objects.update(state="connected")
    clock_strikes()
    assert len(notes()) == 1


def test_no_note_is_left_where_the_rules_want_none_but_what_was_told_is_settled(
    scenario, held, notes, super_admin
):
    scenario.set_policies(note_on_wait=False)
    minutes_pass()
    assert notes() == []
    scenario.set_policies(note_on_wait=True)
    clock_strikes()
    scenario.set_policies(note_on_wait=False)
    acts.cancel(held, super_admin)
    clock_strikes()
    assert len(notes()) == 2


@pytest.mark.parametrize("is_told", [False, True])
def test_nothing_more_is_told_of_who_is_erased(scenario, held, notes, super_admin, is_told):
    if is_told:
        minutes_pass()
    else:
        Invitation.objects.update(changed_at=F("changed_at") - timedelta(minutes=6))
        wait_notes.tell_waits(scenario.organization)
    erase(scenario.organization, held.opportunity_id, ErasureCause.FORGOTTEN, "test")
    for _ in range(2):
        minutes_pass()
    assert len(notes()) == int(is_told)
    assert not Effect.objects.filter(open_wait__isnull=False).exists()


def test_notes_of_a_large_hold_are_enqueued_bit_by_bit_and_left_after_all_else(scenario, monkeypatch):
    monkeypatch.setattr(wait_notes, "MOST_AT_ONCE", 2)
    for _ in range(5):
        factories.InvitationFactory(organization=scenario.organization, status="held")
    Invitation.objects.update(changed_at=F("changed_at") - timedelta(minutes=6))
    told = Effect.objects.filter(kind="leave_note")
    counts = []
    for _ in range(4):
        wait_notes.tell_waits(scenario.organization)
        counts.append(told.count())
    assert counts == [2, 4, 5, 5]
    other = scenario.pending_invitation()
    [first] = Effect.claim_batch("me", 1)
    assert first.invitation == other


def test_an_organization_is_looked_at_only_while_a_note_is_due(scenario, held, super_admin):
    def is_due() -> bool:
        return scenario.organization.pk in wait_notes.organizations_with_untold_waits()

    assert not is_due()
    Invitation.objects.update(changed_at=F("changed_at") - timedelta(minutes=6))
    assert is_due()
    minutes_pass()
    assert not is_due()
    acts.approve(held, super_admin)
    assert not is_due()  # it isn't sent yet
    worker.work()
    assert is_due()
    clock_strikes()
    assert not is_due()
    assert Organization.objects.count() == 1
