"""Add the report link to the candidate once."""

import pytest

from integrations.effects.kinds.report_link import ADD_REPORT_LINK, ReportLinkPayload
from tests.effects.conftest import LOST


@pytest.mark.parametrize("kind", LOST)
def test_the_report_link_is_added_once_when_the_answer_was_lost(scenario, sandbox, invitation, kind):
    scenario.lever_fails("/addLinks", kind=kind)
    url = "https://report.example/1"
    payload = ReportLinkPayload(url)
    ADD_REPORT_LINK.enqueue(scenario.organization.pk, "x", payload, invitation=invitation)
    scenario.work()
    scenario.work_waiting()
    assert scenario.latest_effect("add_report_link").state == "done"
    assert sandbox.opportunity("Alder")["links"].count(url) == 1
    assert sandbox.opportunity("Alder")["writes"].get("addLinks") == 1
