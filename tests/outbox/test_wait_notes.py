"""One note in Lever says that a candidate is on hold, possibly sent or paused; the tag shows what ends the wait."""

from datetime import timedelta

import pytest
from django.db.models import F

from integrations.case import waits
from integrations.case.texts import pause_note
from integrations.core.rules.facts import Pause
from integrations.core.vocabulary import ErasureCause
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations as acts
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.privacy.erase import erase
from integrations.queue import duties, worker
from integrations.queue.models.duty_run import Duty, DutyRun
from tests.support import factories

ON_HOLD = (
    "CodeScreen: “Backend” is on hold until an Admin decides. Nothing was sent yet. "
    "Waits for approval: more than 1 candidate in 10 minutes."
)


def minutes_pass(minutes=6):
    """Let all waits have lasted longer, and do what the clock calls for."""
    ago = timedelta(minutes=minutes)
    Invitation.objects.update(changed_at=F("changed_at") - ago)
    Delivery.objects.filter(decided_at__isnull=False).update(decided_at=F("decided_at") - ago)
    Effect.objects.filter(kind="leave_note").update(
        created_at=F("created_at") - ago, due_at=F("due_at") - ago
    )
    clock_strikes()


def clock_strikes():
    """Do what is called for each minute, and the work that follows."""
    duties.plan_duties()
    DutyRun.objects.exclude(duty=Duty.NOTE_WAITS).update(due_at=None)
    worker.perform_duties()
    worker.work()


def enqueue_due_note(scenario) -> None:
    """Let who is on hold have waited for long enough; the note isn't left yet."""
    Invitation.objects.update(changed_at=F("changed_at") - timedelta(minutes=6))
    waits.tell_waits(scenario.organization)


def test_an_invitation_on_hold_is_told_once_and_no_note_tells_the_end(scenario, held, notes, super_admin):
    minutes_pass(4)
    assert notes() == []
    for _ in range(3):
        minutes_pass()
    assert notes() == [ON_HOLD]
    acts.approve(held, super_admin)
    clock_strikes()
    assert scenario.reread(held).status == "invited"
    minutes_pass()
    assert notes() == [ON_HOLD]


def test_no_note_is_left_about_a_wait_that_ended_before_it_went_out(scenario, held, notes, super_admin):
    enqueue_due_note(scenario)
    acts.approve(held, super_admin)
    clock_strikes()
    told = scenario.latest_effect("leave_note")
    assert (notes(), told.state, told.last_error) == (
        [],
        "cancelled",
        "The candidate no longer waited for this.",
    )


def test_a_pause_is_told_to_who_entered_a_stage_that_invites(scenario, notes, move_candidate):
    scenario.set_policies(paused=True)
    move_candidate("Alder")
    move_candidate("Hazel", stage="Phone screen")
    scenario.work()
    for _ in range(2):
        minutes_pass()
    assert (notes("Alder"), notes("Hazel")) == ([pause_note(Pause.BY_ADMIN)], [])


@pytest.mark.parametrize("is_told", [False, True])
def test_nothing_more_is_told_of_who_is_erased(scenario, held, notes, is_told):
    if is_told:
        minutes_pass()
    else:
        enqueue_due_note(scenario)
    erase(scenario.organization, held.opportunity_id, ErasureCause.FORGOTTEN, "test")
    minutes_pass()
    assert len(notes()) == int(is_told)


def test_notes_of_a_large_hold_are_enqueued_bit_by_bit_and_left_after_all_else(scenario, monkeypatch):
    monkeypatch.setattr(waits, "MOST_AT_ONCE", 2)
    for _ in range(5):
        factories.InvitationFactory(organization=scenario.organization, status="held")
    told = Effect.objects.filter(kind="leave_note")
    counts = []
    for _ in range(4):
        enqueue_due_note(scenario)
        counts.append(told.count())
    assert counts == [2, 4, 5, 5]
    other = scenario.pending_invitation()
    [first] = Effect.claim_batch("me", 1)
    assert first.invitation == other


def test_an_organization_is_looked_at_only_while_a_note_is_due(scenario, held):
    def is_due() -> bool:
        return scenario.organization.pk in waits.organizations_with_untold_waits()

    assert not is_due()
    Invitation.objects.update(changed_at=F("changed_at") - timedelta(minutes=6))
    assert is_due()
    minutes_pass()
    assert not is_due()
