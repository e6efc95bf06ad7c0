"""What people send is checked in Lever before it goes out, with the address of now: approve, send and invite again."""

import pytest

from integrations.invitations.acts import invitations
from integrations.invitations.acts.invitations import retry_effect
from integrations.invitations.models.invitation import Invitation

ALDER, CORRECT = "alder@candidates.example", "alder.correct@candidates.example"


def held(scenario):
    """Return a held invitation, and what approves it."""
    invitation = scenario.held_invitation()
    scenario.set_policies(bulk_limit=0)
    return invitation, lambda: invitations.approve(invitation, "test")


def failed(scenario):
    """Return an invitation that CodeScreen refused, and what sends it again."""
    invitation = scenario.failed_invitation()
    return invitation, lambda: invitations.send_again(invitation, "test")


def waiting_effect(scenario):
    """Return an invitation that waits for its next try, and what retries its effect at once."""
    scenario.codescreen_fails(status=503, retry_after=120)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert scenario.reread(invitation).status == "pending"
    effect = scenario.latest_effect()
    return invitation, lambda: retry_effect(effect, "test")


def uncertain(scenario):
    """Return an invitation whose call never arrived, and what sends it again."""
    invitation = scenario.uncertain_invitation()
    return invitation, lambda: invitations.send_again(invitation, "test")


def withdrawn(scenario):
    """Return a withdrawn invitation, and what invites again."""
    invitation = scenario.pending_invitation()
    invitation.move("withdrawn", "The candidate left the stage.")
    scenario.work()
    return invitation, lambda: invitations.invite_again(invitation, "test")


ACTS = [held, failed, waiting_effect, uncertain, withdrawn]


@pytest.fixture
def sent_by_a_person(scenario, request):
    """An invitation of a candidate in the stage, by default refused, and what a person does to send it."""
    return getattr(request, "param", failed)(scenario)


by_each_act = pytest.mark.parametrize("sent_by_a_person", ACTS, indirect=True, ids=lambda act: act.__name__)


def latest(invitation):
    """Return the latest round of the invitation."""
    return Invitation.objects.filter(opportunity_id=invitation.opportunity_id).latest("round")


@by_each_act
def test_the_corrected_address_and_name_are_used(scenario, sandbox, sent_by_a_person):
    invitation, act = sent_by_a_person
    scenario.correct(email=CORRECT, name="Candidate Alder-Grey")
    act()
    scenario.work()
    row = latest(invitation)
    assert (row.status, row.email, row.candidate_name) == ("invited", CORRECT, "Candidate Alder-Grey")
    assert (sandbox.invitations_sent(ALDER), sandbox.invitations_sent(CORRECT)) == (0, 1)


def test_nothing_is_sent_without_an_address(scenario, sandbox, sent_by_a_person):
    invitation, act = sent_by_a_person
    sandbox.account.contact_of(sandbox.candidate("Alder")).emails = []
    act()
    scenario.work()
    row = latest(invitation)
    assert (row.status, sandbox.invitations_sent()) == ("failed", 0)
    assert "no longer has an e-mail address" in row.status_reason


@by_each_act
def test_only_inviting_again_ignores_that_the_candidate_left_the_stage(scenario, sandbox, sent_by_a_person):
    invitation, act = sent_by_a_person
    scenario.place(stage="Phone screen")
    act()
    scenario.work()
    row = latest(invitation)
    expected = ("invited", 1) if row.in_any_stage else ("withdrawn", 0)
    assert (row.status, sandbox.invitations_sent()) == expected
    assert row.in_any_stage is (row.round == 2)


def test_a_person_who_turns_out_to_be_invited_elsewhere_gets_nothing(scenario, sandbox, sent_by_a_person):
    invitation, act = sent_by_a_person
    scenario.sent_invitation("Birch")
    scenario.correct(email="Birch@candidates.example")
    act()
    scenario.work()
    row = latest(invitation)
    assert (row.status, sandbox.invitations_sent()) == ("withdrawn", 1)
    assert "through another opportunity in Lever: invited, not started (" in row.status_reason
