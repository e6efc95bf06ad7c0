"""Add the report link to the candidate once."""

import pytest

from integrations.workflow.outbox import enqueue
from integrations.workflow.outbox.payloads import ReportLinkPayload
from tests.workflow.effects.conftest import LOST


@pytest.mark.parametrize("kind", LOST)
def test_the_report_link_is_added_once_when_the_answer_was_lost(scenario, sandbox, invitation, kind):
    scenario.lever_fails("/addLinks", kind=kind)
    url = "https://report.example/1"
    enqueue.enqueue(
        scenario.organization, "add_report_link", "x", invitation=invitation, payload=ReportLinkPayload(url)
    )
    scenario.work()
    scenario.work_waiting()
    assert scenario.latest_effect("add_report_link").state == "done"
    assert sandbox.opportunity("Alder")["links"].count(url) == 1
    assert sandbox.opportunity("Alder")["writes"].get("addLinks") == 1
