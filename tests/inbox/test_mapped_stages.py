"""A stage outside the prefix that a mapping names with a role: a trigger for that role, for others an ordinary one."""

import pytest

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts

MAPPED = "Phone screen"
#: Of another role, whose posting has the tag of an assessment.
OTHER = "Sequoia"


@pytest.fixture(autouse=True)
def _mapped(scenario):
    """A mapping for one role alone names the stage, and there is a default assessment."""
    mappings = scenario.organization.role_mappings
    mappings.create(role="Backend Engineer", stage=MAPPED, assessment="Backend")
    scenario.set_policies(default_assessment="Backend", note_on_skip=True)


def test_only_the_mappings_role_is_invited_there_and_others_leave_no_trace(scenario, sandbox):
    other = scenario.enter(OTHER, MAPPED)
    assert other.verdict == "not_a_trigger_stage"
    assert other.explanation == "The stage “Phone screen” sends no assessment to candidates of this role."
    assert not Effect.objects.filter(opportunity_id=other.opportunity_id).exists()
    assert not Candidate.objects.filter(opportunity_id=other.opportunity_id).exists()
    assert scenario.enter("Alder", MAPPED).verdict == "invite"
    assert sandbox.assessments_sent() == ["Backend"]


def test_a_sweep_takes_in_the_mappings_role_alone(scenario, sandbox):
    for word in (OTHER, "Alder"):
        scenario.place(word, MAPPED)
    assert queue_acts.sweep_organization(scenario.organization) == 1
    assert Delivery.objects.get().opportunity_id == sandbox.opportunity_id("Alder")


def test_who_moves_on_into_a_stage_that_is_none_for_their_role_has_left(scenario):
    scenario.enter(OTHER)
    scenario.enter(OTHER, MAPPED)
    invitation = Invitation.objects.get()
    assert (invitation.status, invitation.assessment_name) == ("withdrawn", "Frontend Developer")


def test_during_a_pause_others_wait_there_and_are_gone_once_they_are_read(scenario):
    scenario.enter("Tamarack")
    known = Candidate.objects.get()
    scenario.set_policies(paused=True)
    for word in (OTHER, "Alder", "Tamarack"):
        assert scenario.enter(word, MAPPED).verdict == "paused"
    assert Candidate.objects.count() == 3
    known.refresh_from_db()
    assert known.stage_name == "CodeScreen Assessment"  # until it is known what the stage is for them
    scenario.set_policies(paused=False)
    scenario.work()
    names = Candidate.objects.order_by("name").values_list("name", "stage_name")
    assert list(names) == [("Candidate Alder", MAPPED), ("Candidate Tamarack", MAPPED)]
