"""A note and a link are left once, though it isn't known whether they were."""

from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import ReportLinkPayload, enqueue
from tests.outbox.conftest import LOST, enqueue_note_on_candidate


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
