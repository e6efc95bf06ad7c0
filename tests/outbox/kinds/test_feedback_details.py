"""What else CodeScreen says of a result, in the feedback's field Details."""

from integrations.catalog import feedback_template
from integrations.lever.models.connection import LeverConnection
from portal.devtools.sandbox.lever.records import build_fields
from tests.outbox.conftest import edit_template, evaluate, feedback_forms, portal_templates


def test_details_are_lines_of_their_own_in_codescreens_order(scenario, sandbox):
    scenario.sent_invitation()
    stated = {
        "zeta": "<b>naïve</b> & 学习\nResult: Passed",
        "failed tests": ["a", "b"],
        "coverage": {"lines": 66.66666666666667, "branches": None},
        "reviewer of": "Candidate Alder",
    }
    evaluate(scenario, score=40, result="Failed", details=stated)
    [form] = feedback_forms(sandbox)
    assert form["fields"]["Details"].splitlines()[:4] == [
        "zeta: <b>naïve</b> & 学习 Result: Passed",
        'failed tests: ["a", "b"]',
        'coverage: {"lines": 66.66666666666667, "branches": null}',
        "reviewer of: left out: personal",
    ]
    [template] = portal_templates(sandbox)
    assert {field["text"]: field["type"] for field in template.fields}["Details"] == "textarea"


def test_a_result_is_written_on_a_template_without_details(scenario, sandbox):
    scenario.sent_invitation()
    edit_template(sandbox, "Details")
    evaluate(scenario, score=82, result="Passed", details={"integrity": "checked"})
    [form] = feedback_forms(sandbox)
    assert (form["fields"]["Result"], "Details" in form["fields"]) == ("Passed", False)
    # the field is given back: the next form has it, and the earlier form stays as it is
    [template] = portal_templates(sandbox)
    template.fields = build_fields(feedback_template.TEMPLATE["fields"])
    LeverConnection.objects.update(feedback_template_read_at=None)
    scenario.sent_invitation("Tamarack")
    scenario.candidate_does(
        "start",
        "submit",
        "evaluate",
        word="Tamarack",
        score=60,
        result="Passed",
        details={"integrity": "copied"},
    )
    [form] = feedback_forms(sandbox, "Tamarack")
    assert form["fields"]["Details"].startswith("integrity: copied\n")
    scenario.candidate_does("regrade", score=60, result="Passed", details={"integrity": "copied"})
    [form] = feedback_forms(sandbox)
    assert (form["fields"]["CodeScreen score"], "Details" in form["fields"]) == ("60", False)
