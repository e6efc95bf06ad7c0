"""A note in Lever says what a candidate waits for, once, and another one how that ended."""

from datetime import timedelta

import pytest
from django.db.models import F

from integrations.catalog import lists
from integrations.clients import provider
from integrations.codescreen.acts import save_codescreen_key
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ErasureCause
from integrations.effects import wait_notes
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations as acts
from integrations.invitations.acts.undo import take_back_approval
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.privacy.erase import erase
from integrations.queue import duties, worker
from integrations.queue.models.duty_run import Duty, DutyRun
from tests.support import factories

ON_HOLD = "is on hold until an Admin decides: nothing was sent yet. On hold: bulk limit of 1 reached"
PAUSED = f"CodeScreen: {VerdictCode.PAUSED.record.wait_note}"


def minutes_pass(minutes=6):
    """Let all waits have lasted longer, and do what the clock calls for."""
    ago = timedelta(minutes=minutes)
    Invitation.objects.update(changed_at=F("changed_at") - ago)
    Delivery.objects.filter(decided_at__isnull=False).update(decided_at=F("decided_at") - ago)
    Effect.objects.filter(kind="leave_note", state="due").update(due_at=F("due_at") - ago)
    clock_strikes()


def clock_strikes():
    """Do what is called for each minute, and the work that follows."""
    duties.plan_duties()
    DutyRun.objects.exclude(duty=Duty.NOTE_WAITS).update(due_at=None)
    worker.perform_duties()
    worker.work()


@pytest.fixture
def notes(sandbox):
    """Return what reads the notes that a candidate has in Lever."""
    return lambda word="Alder": sandbox.opportunity(word)["note_texts"]


@pytest.fixture
def move_candidate(scenario, sandbox):
    """Return what moves a candidate in Lever, with the webhook about it; the stages' names are known."""
    lists.refresh_stages(scenario.organization, provider.lever_client(scenario.organization))

    def move(word="Alder", stage="CodeScreen Assessment"):
        opportunity = sandbox.opportunity_id(word)
        sandbox.lever_does("move", opportunities=[opportunity], stage=stage)
        data = {"opportunityId": opportunity, "toStageId": sandbox.stage_id(stage)}
        payload = {"event": "candidateStageChange", "data": data}
        factories.DeliveryFactory(
            organization=scenario.organization, opportunity_id=opportunity, payload=payload
        )

    return move


@pytest.fixture
def held(scenario, move_candidate):
    """The invitation of Alder, which is on hold."""
    scenario.set_policies(bulk_limit=1)
    factories.InvitationFactory(organization=scenario.organization, status="invited", instance_id="i-0")
    move_candidate()
    scenario.work()
    held = Invitation.objects.get(status="held")
    assert held.opportunity_id == scenario.sandbox.opportunity_id("Alder")
    return held


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
    assert notes()[1:] == ["CodeScreen: “Backend” was cancelled by an Admin. Nothing was sent."]


def test_that_the_candidate_left_the_stage_is_told(scenario, held, notes, move_candidate):
    minutes_pass()
    move_candidate(stage="Phone screen")
    scenario.work()
    minutes_pass()
    assert notes()[1:] == [
        "CodeScreen: “Backend” was cancelled. The candidate left the stage. Nothing was sent."
    ]


def test_no_note_is_left_about_a_wait_that_ended_before_it_went_out(scenario, held, notes, super_admin):
    Invitation.objects.update(changed_at=F("changed_at") - timedelta(minutes=6))
    wait_notes.tell_waits(scenario.organization)
    acts.cancel(held, super_admin)
    for _ in range(2):
        clock_strikes()
    told = scenario.latest_effect("leave_note")
    assert (notes(), told.state, told.end_reason, told.open_wait) == ([], "done", "wait_over", None)


def test_an_approval_that_is_taken_back_leaves_no_second_note(held, notes, super_admin):
    minutes_pass()
    acts.approve(held, super_admin, wait=timedelta(seconds=30))
    clock_strikes()
    take_back_approval(Invitation.objects.get(pk=held.pk), super_admin)
    minutes_pass()
    assert len(notes()) == 1


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
    assert notes()[1:] == ["CodeScreen: “Backend” was cancelled by an Admin. Nothing was sent."]


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


def test_a_possibly_sent_invitation_is_told_and_then_what_a_person_found(
    scenario, sandbox, notes, super_admin
):
    invitation = scenario.pending_invitation()
    scenario.codescreen_fails("reset_before")
    scenario.work()
    assert scenario.reread(invitation).status == "uncertain"
    minutes_pass()
    uncertain = f"CodeScreen: “Backend” {InvitationStatus.UNCERTAIN.record.wait_note}"
    assert notes() == [uncertain]
    acts.send_again(scenario.reread(invitation), super_admin)
    minutes_pass()
    minutes_pass()
    assert notes() == [uncertain, "CodeScreen: “Backend” was sent to the candidate."]


def test_what_was_possibly_sent_is_never_said_not_to_be_sent(scenario, notes, super_admin):
    invitation = scenario.pending_invitation()
    invitation.move("uncertain")  # as after a restore: the call is no longer on record
    minutes_pass()
    acts.cancel(scenario.reread(invitation), super_admin)
    minutes_pass()
    assert notes()[1:] == ["CodeScreen: “Backend” was cancelled by an Admin. It was possibly sent before."]


def test_a_hold_that_leads_to_uncertainty_ends_once(scenario, held, notes, super_admin):
    minutes_pass()
    acts.approve(held, super_admin)
    scenario.codescreen_fails("reset_before")
    scenario.work()
    minutes_pass()
    acts.cancel(scenario.reread(held), super_admin)
    for _ in range(2):
        minutes_pass()
    assert [text.split("” ")[1][:17] for text in notes()[:2]] == ["is on hold until ", "was possibly sent"]
    assert notes()[2:] == ["CodeScreen: “Backend” was cancelled by an Admin. It was possibly sent before."]


def test_that_it_was_sent_before_it_was_cancelled_is_told(scenario, held, notes, super_admin):
    minutes_pass()
    acts.approve(held, super_admin)
    scenario.work()
    acts.cancel(scenario.reread(held), super_admin)
    minutes_pass()
    assert notes()[1:] == ["CodeScreen: “Backend” was cancelled by an Admin. It was sent before."]


def test_a_refused_invitation_is_told_by_its_own_note_alone(scenario, held, notes, super_admin):
    minutes_pass()
    scenario.codescreen_fails(status=422)
    acts.approve(held, super_admin)
    scenario.work()
    minutes_pass()
    assert len(notes()) == 2
    assert "could not be sent" in notes()[1]


def test_a_refused_invitation_is_told_where_no_other_note_does(scenario, held, notes, super_admin):
    scenario.set_policies(note_on_skip=False)
    minutes_pass()
    scenario.codescreen_fails(status=422)
    acts.approve(held, super_admin)
    scenario.work()
    minutes_pass()
    assert notes()[1:] == [
        "CodeScreen: “Backend” could not be sent. The portal shows the reason to an Admin."
    ]


def test_a_pause_is_told_while_it_lasts_and_then_what_was_decided(
    scenario,
    notes,
    move_candidate,
):
    scenario.set_policies(paused=True)
    move_candidate("Alder")
    move_candidate("Hazel")
    scenario.work()
    for _ in range(2):
        minutes_pass()
    assert (notes("Alder"), notes("Hazel")) == ([PAUSED], [PAUSED])
    scenario.set_policies(paused=False)
    scenario.work()
    for _ in range(2):
        minutes_pass()
    assert notes("Alder") == [PAUSED, "CodeScreen: “Backend” was sent to the candidate."]
    [_, skipped] = notes("Hazel")  # the note of the verdict itself
    assert skipped.startswith("CodeScreen: no assessment was sent. No assessment is set for")


def test_who_enters_twice_in_a_pause_is_told_of_the_invitation(scenario, notes, move_candidate):
    scenario.set_policies(paused=True)
    for stage in ("CodeScreen Assessment", "Phone screen", "CodeScreen Assessment"):
        move_candidate(stage=stage)
    scenario.work()
    minutes_pass()
    scenario.set_policies(paused=False)
    for _ in range(3):
        worker.decide(factories.claimed(Delivery, "me"))
    assert set(Delivery.objects.values_list("verdict", flat=True)) >= {"invite", "already_invited"}
    assert scenario.organization.pk not in wait_notes.organizations_with_untold_waits()  # it isn't sent yet
    scenario.work()
    minutes_pass()
    assert notes() == [PAUSED, "CodeScreen: “Backend” was sent to the candidate."]


def test_it_is_not_said_that_nothing_was_sent_to_who_has_it_elsewhere(scenario, notes, move_candidate):
    scenario.set_policies(paused=True)
    move_candidate()
    scenario.work()
    minutes_pass()
    Organization.objects.update(paused=False)
    Delivery.objects.update(verdict="invited_elsewhere", explanation="The same person already has “Backend”.")
    minutes_pass()
    assert notes()[1].startswith("CodeScreen: The same person already has “Backend”. Nothing to do.")


def test_a_verdict_without_a_note_of_its_own_is_told(scenario, notes, move_candidate):
    scenario.set_policies(paused=True, note_on_skip=False)
    move_candidate("Hazel")
    scenario.work()
    minutes_pass()
    scenario.set_policies(paused=False)
    scenario.work()
    minutes_pass()
    assert notes("Hazel")[1].startswith("CodeScreen: no assessment was sent. No assessment is set for")


def test_only_who_entered_a_stage_that_invites_is_told_of_a_pause(scenario, notes, move_candidate):
    scenario.set_policies(paused=True)
    move_candidate(stage="Phone screen")
    scenario.work()
    minutes_pass()
    assert notes() == []


def test_a_pause_that_ends_in_a_hold_is_told_in_three_notes(scenario, notes, move_candidate, super_admin):
    scenario.set_policies(paused=True)
    move_candidate()
    scenario.work()
    minutes_pass()
    factories.InvitationFactory(organization=scenario.organization, status="invited", instance_id="i-0")
    scenario.set_policies(paused=False, bulk_limit=1)
    scenario.work()
    clock_strikes()
    assert notes() == [PAUSED]
    minutes_pass()
    acts.approve(Invitation.objects.get(status="held"), super_admin)
    scenario.work()
    minutes_pass()
    assert [PAUSED in notes()[0], ON_HOLD in notes()[1], "was sent" in notes()[2]] == [True] * 3
    assert len(notes()) == 3


def test_how_a_wait_ended_is_told_in_a_pause_too(scenario, held, notes, super_admin):
    minutes_pass()
    scenario.set_policies(paused=True)
    acts.cancel(held, super_admin)
    minutes_pass()
    assert notes()[1:] == ["CodeScreen: “Backend” was cancelled by an Admin. Nothing was sent."]


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
