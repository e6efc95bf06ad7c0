"""The five steps, and where the candidate is."""

import pytest

from integrations.pages.candidate.card import LABELS, card_of_candidate, journey
from integrations.pages.candidate.rows import CandidateRows
from tests.pages.candidate import histories
from tests.support import factories


def steps_of(organization, opportunity_id):
    rows = CandidateRows(organization, opportunity_id)
    return journey(rows, card_of_candidate(rows))


@pytest.mark.parametrize(
    ("state", "states", "said"),
    [
        ("passed", "done done done done good", "Result: Passed, 82"),
        ("failed", "done done done done bad", "Result: Failed, 12"),
        ("expired", "done done left-out left-out warn", "Result: Expired"),
        ("unstated", "done done done done done", "Result: 71.5"),
        ("not-invited", "done warn to-come to-come to-come", "Not invited: "),
        ("held", "done warn to-come to-come to-come", "On hold: "),
        ("uncertain", "done warn to-come to-come to-come", "Possibly sent: "),
        ("in-progress", "done done now to-come to-come", "Started: "),
        ("three-rounds", "done now to-come to-come to-come", "Invited: "),
    ],
)
def test_steps_follow_the_state(organization, state, states, said):
    histories.make(organization, state)
    steps = steps_of(organization, f"o-{state}")
    assert [step.state.removeprefix("is-") for step in steps] == states.split()
    [current] = [step for step in steps if step.is_current]
    assert f"{current.label}: {current.note}" == said


@pytest.mark.parametrize(
    ("status", "reached", "ended", "labels"),
    [
        ("pending", "", "", "Moved, Waiting to be sent, Started, Submitted, Result"),
        ("failed", "", "", "Moved, Not sent, Started, Submitted, Result"),
        ("withdrawn", "", "", "Moved, Cancelled, Started, Submitted, Result"),
        ("withdrawn", "invited_at", "", "Moved, Invited, Cancelled after the invitation, Submitted, Result"),
        ("invited", "invited_at", "not_started", "Moved, Invited, Not started in time, Submitted, Result"),
        (
            "in_progress",
            "started_at",
            "not_finished",
            "Moved, Invited, Started, Not finished in time, Result",
        ),
        ("submitted", "submitted_at", "gone", "Moved, Invited, Started, Submitted, No longer in CodeScreen"),
    ],
)
def test_what_hinders_stands_in_the_place_of_its_step(organization, status, reached, ended, labels):
    columns = {reached: factories.a_moment_ago()} if reached else {}
    if ended:
        columns |= {"following_ended": ended, "following_ended_at": factories.a_moment_ago()}
    own = {"organization": organization, "opportunity_id": "o-1", "status": status}
    factories.InvitationFactory.create(**own, instance_id="i", **columns)
    steps = steps_of(organization, "o-1")
    assert ", ".join(step.label for step in steps) == labels
    [current] = [step for step in steps if step.is_current]
    assert current.label not in LABELS
    assert not current.note


def test_a_round_that_a_person_asked_for_says_so(organization):
    histories.make(organization, "three-rounds")
    assert steps_of(organization, "o-three-rounds")[0].note == "Sent again"
