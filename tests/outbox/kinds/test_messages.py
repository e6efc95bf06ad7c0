"""One note per opportunity and code, and one link, whatever Lever answers."""

from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import ReportLinkPayload, enqueue
from tests.outbox.conftest import LOST, enqueue_note_on_candidate, notes_on


def test_a_note_is_left_once_per_opportunity_and_code(scenario, sandbox):
    enqueue_note_on_candidate(scenario)
    enqueue_note_on_candidate(scenario, "CodeScreen: another sentence.")
    scenario.work()
    assert notes_on(sandbox) == ["CodeScreen: nothing was sent."]


def test_a_note_whose_answer_was_lost_is_not_left_twice(scenario, sandbox):
    scenario.lever_fails("/notes", kind=LOST)
    enqueue_note_on_candidate(scenario)
    scenario.work()
    assert scenario.latest_effect("leave_note").state == "due"
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").state == "done"
    assert notes_on(sandbox) == ["CodeScreen: nothing was sent."]


def test_a_note_is_left_once_when_the_lookup_after_a_lost_answer_fails(scenario, sandbox):
    scenario.lever_fails("/notes", kind=LOST)
    enqueue_note_on_candidate(scenario)
    scenario.work()
    scenario.lever_fails("/notes", method="GET", status=503)
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").attempt_started_at is not None
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").state == "done"
    assert sandbox.opportunity("Alder")["notes"] == 1


def test_a_note_is_left_later_when_lever_did_not_accept_it(scenario, sandbox):
    scenario.lever_fails("/notes", status=503)
    enqueue_note_on_candidate(scenario)
    scenario.work()
    assert sandbox.opportunity("Alder")["notes"] == 0
    scenario.work_waiting()
    assert notes_on(sandbox) == ["CodeScreen: nothing was sent."]


def test_a_note_is_left_once_when_its_worker_was_killed_after_writing(scenario, sandbox):
    enqueue_note_on_candidate(scenario)
    effect = scenario.latest_effect("leave_note")
    scenario.work()
    Effect.objects.filter(pk=effect.pk).update(state="due", done_at=None, due_at=effect.due_at)
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").state == "done"
    assert sandbox.opportunity("Alder")["notes"] == 1


def test_a_note_fails_when_the_candidate_was_deleted(scenario, sandbox):
    enqueue_note_on_candidate(scenario)
    sandbox.lever_does("delete", opportunities=[sandbox.opportunity_id("Alder")])
    scenario.work()
    effect = scenario.latest_effect("leave_note")
    assert effect.state == "failed"
    assert "404" in effect.last_error


def test_the_report_link_is_added_once_when_the_answer_was_lost(scenario, sandbox, invitation):
    scenario.lever_fails("/addLinks", kind=LOST)
    url = "https://report.example/1"
    payload = ReportLinkPayload(url)
    enqueue(scenario.organization.pk, Effect.Kind.ADD_REPORT_LINK, "x", payload, invitation=invitation)
    scenario.work()
    scenario.work_waiting()
    assert scenario.latest_effect("add_report_link").state == "done"
    assert sandbox.opportunity("Alder")["links"].count(url) == 1
    assert sandbox.opportunity("Alder")["writes"].get("addLinks") == 1
