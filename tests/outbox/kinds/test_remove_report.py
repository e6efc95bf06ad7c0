"""Remove the report from Lever when a person is erased."""

import pytest

from integrations.core.vocabulary import ErasureCause
from integrations.invitations.models.result import Result
from integrations.outbox.models.effect import Effect
from integrations.privacy.erase import erase
from integrations.privacy.lever_changes import repeat_erasures
from integrations.privacy.models import Erasure
from tests.outbox.conftest import LOST, evaluate, lever_account, may_attach


@pytest.fixture
def attached(scenario):
    """A scenario with a report in Lever."""
    may_attach(scenario)
    scenario.set_policies(attach_report=True)
    scenario.sent_invitation()
    evaluate(scenario, score=82, result="Passed")
    assert len(opportunity(scenario).files) == 1
    return scenario


def opportunity(scenario):
    return lever_account(scenario.sandbox).opportunities[scenario.sandbox.opportunity_id("Alder")]


def forget(scenario, cause=ErasureCause.FORGOTTEN):
    erase(scenario.organization, scenario.sandbox.opportunity_id("Alder"), cause, "test")


@pytest.mark.parametrize("cause", ErasureCause)
def test_the_report_is_removed_when_the_person_is_to_be_forgotten(attached, cause):
    forget(attached, cause)
    attached.work()
    is_removed = cause in {ErasureCause.FORGOTTEN, ErasureCause.ANONYMIZED}
    assert (opportunity(attached).files == {}) is is_removed
    assert Effect.objects.filter(kind="remove_report", state="done").exists() is is_removed
    assert Result.objects.get().file_id == "" or not is_removed
    assert attached.latest_effect("attach_report").written == {}


def test_a_report_that_was_attached_during_the_erasure_is_removed_by_the_repetition(attached):
    [file] = opportunity(attached).files.values()
    forget(attached)
    attached.work()
    opportunity(attached).files[file.id] = file
    Erasure.objects.update(erased_at="2020-01-01T00:00:00Z")
    repeat_erasures(attached.organization)
    attached.work()
    assert opportunity(attached).files == {}


def test_the_removal_goes_on_when_the_answer_was_lost_even_in_a_pause(attached):
    attached.set_policies(paused=True)
    attached.lever_fails("/files/", method="DELETE", kind=LOST)
    forget(attached)
    attached.work()
    attached.work_waiting()
    assert opportunity(attached).files == {}
    assert attached.latest_effect("remove_report").state == "done"


def test_a_candidate_lever_no_longer_has_is_no_error(attached):
    account = lever_account(attached.sandbox)
    del account.opportunities[attached.sandbox.opportunity_id("Alder")]
    forget(attached)
    attached.work()
    effect = attached.latest_effect("remove_report")
    assert (effect.state, effect.end_reason, effect.last_error) == ("done", "nothing_left", "")
