"""The five steps, and where the candidate is."""

import pytest

from integrations.pages.candidate.card import card_of_candidate, journey
from integrations.pages.candidate.rows import CandidateRows
from tests.pages.candidate import histories
from tests.support import factories


def steps_of(organization, opportunity_id):
    rows = CandidateRows(organization, opportunity_id)
    return journey(rows, card_of_candidate(rows))


@pytest.mark.parametrize(
    ("state", "states", "note"),
    [
        ("passed", "done done done done good", "Passed, 82"),
        ("failed", "done done done done bad", "Failed, 12"),
        ("expired", "done done left-out left-out warn", "Expired"),
        ("unstated", "done done done done done", "Not stated, 71.5"),
        ("not-invited", "done warn to-come to-come to-come", "Not invited"),
        ("held", "done warn to-come to-come to-come", "On hold"),
        ("uncertain", "done warn to-come to-come to-come", "Possibly sent"),
        ("in-progress", "done done now to-come to-come", ""),
        ("three-rounds", "done now to-come to-come to-come", ""),
        ("bounced", "done bad to-come to-come to-come", "Bounced"),
    ],
)
def test_steps_follow_the_state(organization, super_admin, state, states, note):
    histories.make(organization, super_admin, state)
    steps = steps_of(organization, f"o-{state}")
    assert [step.state.removeprefix("is-") for step in steps] == states.split()
    [current] = [step for step in steps if step.is_current]
    assert current.note == note


@pytest.mark.parametrize(
    ("status", "reached", "ended", "label", "note"),
    [
        ("pending", "", "", "Invited", "Waiting to be sent"),
        ("failed", "", "", "Invited", "Not sent"),
        ("withdrawn", "", "", "Invited", "Cancelled"),
        ("withdrawn", "invited_at", "", "Started", "Cancelled"),
        ("invited", "invited_at", "not_started", "Started", "Not started in time"),
        ("in_progress", "started_at", "not_finished", "Submitted", "Not finished in time"),
        ("submitted", "submitted_at", "gone", "Result", "No longer in CodeScreen"),
    ],
)
def test_what_hinders_is_said_at_its_step(organization, status, reached, ended, label, note):
    columns = {reached: factories.a_moment_ago()} if reached else {}
    if ended:
        columns |= {"following_ended": ended, "following_ended_at": factories.a_moment_ago()}
    own = {"organization": organization, "opportunity_id": "o-1", "status": status}
    factories.InvitationFactory.create(**own, instance_id="i", **columns)
    [current] = [step for step in steps_of(organization, "o-1") if step.is_current]
    assert (current.label, current.note) == (label, note)


def test_a_round_that_a_person_asked_for_says_so(organization, super_admin):
    histories.make(organization, super_admin, "three-rounds")
    assert steps_of(organization, "o-three-rounds")[0].note == "Sent again"
