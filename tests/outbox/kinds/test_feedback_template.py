"""Make the feedback template once per organization, and again when it was deleted."""

from integrations.catalog import feedback_template
from integrations.invitations.acts.retry import retry_effect
from integrations.lever.models.connection import LeverConnection
from portal.devtools.sandbox.lever.records import build_fields
from tests.outbox.conftest import evaluate, feedback_forms, lever_account, portal_templates


def test_the_template_is_found_when_the_answer_to_its_creation_was_lost(scenario, sandbox):
    lever_account(sandbox).templates.clear()
    LeverConnection.objects.update(feedback_template_id="")
    scenario.lever_fails("/feedback_templates", kind="reset_after")
    scenario.sent_invitation()
    evaluate(scenario, score=82, result="Passed")
    scenario.work_waiting()
    scenario.work_waiting()
    assert len(portal_templates(sandbox)) == 1
    assert len(feedback_forms(sandbox)) == 1


def test_the_template_is_made_again_when_it_was_deleted(scenario, sandbox):
    scenario.sent_invitation()
    evaluate(scenario, score=40, result="Failed")
    lever_account(sandbox).templates.pop(LeverConnection.objects.get().feedback_template_id)
    scenario.sent_invitation("Tamarack")
    scenario.candidate_does("start", "submit", "evaluate", word="Tamarack", score=82, result="Passed")
    scenario.work_waiting()
    scenario.work_waiting()
    assert len(portal_templates(sandbox)) == 1
    [form] = feedback_forms(sandbox, "Tamarack")
    assert form["fields"]["CodeScreen score"] == "82"


def test_feedback_fails_when_lever_keeps_refusing_the_template(scenario, sandbox):
    scenario.sent_invitation()
    lever_account(sandbox).templates.clear()
    scenario.lever_fails("/feedback_templates$", status=403, times=1000)
    evaluate(scenario, score=80)
    for _ in range(5):
        scenario.work_waiting()
    effect = scenario.latest_effect("write_feedback")
    assert effect.state == "failed"
    assert "403" in effect.last_error
    tried = scenario.organization.calls.filter(method="POST", path="/feedback_templates", status=403)
    assert 1 <= tried.count() <= 2
    sandbox.lever_does("faults", seed=1, rules=[])
    retry_effect(effect, "somebody")
    for _ in range(3):
        scenario.work_waiting()
    assert len(feedback_forms(sandbox)) == 1


def test_a_customers_template_of_the_same_name_is_not_used(scenario, sandbox):
    sent = [{"type": "score-system", "text": "Rating"}, {"type": "text", "text": "Reference"}]
    theirs = type(lever_account(sandbox).templates[next(iter(lever_account(sandbox).templates))])(
        "theirs",
        feedback_template.TEMPLATE_NAME,
        "Ours, please don't touch.",
        build_fields(sent),
    )
    lever_account(sandbox).templates["theirs"] = theirs
    scenario.sent_invitation()
    evaluate(scenario, score=82, result="Passed")
    scenario.work_waiting()
    assert len(portal_templates(sandbox)) == 2
    assert LeverConnection.objects.get().feedback_template_id != "theirs"
