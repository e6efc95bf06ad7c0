"""What a candidate waits for, and how each wait ends, in the words of the notes in Lever."""

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.effects import wait_notes
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations as acts
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.queue import worker
from tests.effects.waiting import clock_strikes, minutes_pass
from tests.support import factories

HAD_BEEN_SENT = (
    "The candidate has it already and can still finish it. To get the result in Lever, move the candidate out of the "
    "stage and back in."
)
ON_HOLD = (
    "is on hold until an Admin decides. Nothing was sent yet. "
    "Waits for approval: more than 1 candidate in 10 minutes."
)
CANCELLED = (
    "CodeScreen: “Backend” was cancelled by an Admin. Nothing was sent. "
    "To send it after all, move the candidate out of the stage and back in."
)
POSSIBLY = (
    "It was possibly sent. Look for it in CodeScreen. If it isn't there, and is to be sent, move the candidate out of "
    "the stage and back in."
)
PAUSED = f"CodeScreen: {VerdictCode.PAUSED.record.wait_note}"


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
    assert notes()[1:] == [f"CodeScreen: “Backend” was cancelled by an Admin. {POSSIBLY}"]


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
    assert notes()[2:] == [f"CodeScreen: “Backend” was cancelled by an Admin. {POSSIBLY}"]


def test_that_it_was_sent_before_it_was_cancelled_is_told(scenario, held, notes, super_admin):
    minutes_pass()
    acts.approve(held, super_admin)
    scenario.work()
    acts.cancel(scenario.reread(held), super_admin)
    minutes_pass()
    assert notes()[1:] == [f"CodeScreen: “Backend” was cancelled by an Admin. {HAD_BEEN_SENT}"]


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
        "CodeScreen: “Backend” could not be sent. The candidate's page says why. An Admin can send it again."
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
    assert skipped.startswith(
        "CodeScreen: no assessment was sent. “Site Reliability Engineer” has no assessment yet."
    )


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
    assert notes()[1].startswith(
        "CodeScreen: The same person already has “Backend”. The result there counts here too. Once"
    )


def test_a_verdict_without_a_note_of_its_own_is_told(scenario, notes, move_candidate):
    scenario.set_policies(paused=True, note_on_skip=False)
    move_candidate("Hazel")
    scenario.work()
    minutes_pass()
    scenario.set_policies(paused=False)
    scenario.work()
    minutes_pass()
    assert notes("Hazel")[1].startswith(
        "CodeScreen: no assessment was sent. “Site Reliability Engineer” has no assessment yet."
    )


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
    assert notes()[1:] == [CANCELLED]
