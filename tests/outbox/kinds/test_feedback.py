"""Write one feedback form per invitation, by its own field ids, on a template that is made once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.catalog import feedback_template
from integrations.invitations.acts.invitations import retry_effect
from integrations.invitations.models.result import Result
from integrations.lever.models.connection import LeverConnection
from integrations.outbox.kinds.feedback import results_of
from integrations.outbox.models.effect import Effect
from portal.devtools.sandbox.lever.records import FeedbackTemplate, build_fields
from tests.outbox.conftest import LOST, edit_template, feedback_forms, portal_templates
from tests.support import factories


def test_a_passed_result_is_written_as_feedback(scenario, sandbox):
    invitation = scenario.completed_invitation(score=82, result="Passed")
    [form] = feedback_forms(sandbox)
    report = Result.objects.get().report_url
    details = form["fields"]["Details"]
    assert (
        "unitTestsPassed: 16\nunitTestsTotal: 20\nlanguage: Python\nplagiarismCheckPassed: yes\n" in details
    )
    assert invitation.reference not in details
    assert form["text"] == "CodeScreen assessment"
    assert form["user"] == LeverConnection.objects.get().lever_user_id
    assert form["fields"] == {
        "Rating": "4 - Strong Hire",
        "Assessment": "Backend",
        "CodeScreen score": "82",
        "Result": "Passed",
        "Failure reason": "",
        "Report link": report,
        "Details": details,
        "Reference": invitation.reference,
    }
    assert dict(Effect.objects.get(kind="write_feedback").written["fields"]) == form["fields"]
    assert report in sandbox.opportunity("Alder")["links"]
    assert scenario.reread(invitation).feedback_id == form["id"] == Result.objects.get().feedback_id


def test_a_regrade_updates_the_same_feedback_and_states_the_attempt(scenario, sandbox):
    scenario.completed_invitation(score=40, result="Failed")
    [before] = feedback_forms(sandbox)
    assert (before["fields"]["Rating"], before["fields"]["Failure reason"]) == ("2 - No Hire", "Unit Tests")
    scenario.candidate_does("regrade", score=90, result="Passed")
    [after] = feedback_forms(sandbox)
    assert after["id"] == before["id"]
    assert after["fields"]["Assessment"] == "Backend (attempt 2)"
    assert (after["fields"]["Rating"], after["fields"]["Failure reason"]) == ("4 - Strong Hire", "")
    first, second = Effect.objects.filter(kind="write_feedback").order_by("pk")
    assert [dict(effect.written["fields"])["Result"] for effect in (first, second)] == ["Failed", "Passed"]


@pytest.mark.parametrize("is_shown", [True, False])
def test_deleted_feedback_is_created_again_once_when_the_answer_was_lost(scenario, sandbox, is_shown):
    scenario.completed_invitation(score=40, result="Failed")
    forms = sandbox.candidate("Alder").feedback
    for form in forms.values():
        form.deleted_at = 1
    if not is_shown:
        forms.clear()
    scenario.lever_fails("/feedback$", kind=LOST)
    scenario.candidate_does("regrade", score=90, result="Passed")
    scenario.work_waiting()
    assert scenario.latest_effect("write_feedback").state == "done"
    [form] = feedback_forms(sandbox)
    assert form["fields"]["CodeScreen score"] == "90"


def feedback_reads(scenario):
    """Return how often a template or feedback was read."""
    reads = scenario.organization.calls.filter(platform="lever", method="GET")
    return reads.filter(path__contains="feedback").count()


@pytest.mark.parametrize(("days", "reads"), [(0, 0), (2, 1)])
def test_the_template_is_read_when_its_copy_is_old(scenario, days, reads):
    scenario.sent_invitation()
    LeverConnection.objects.update(feedback_template_read_at=timezone.now() - timedelta(days=days))
    before = feedback_reads(scenario)
    scenario.evaluate(score=82, result="Passed")
    assert feedback_reads(scenario) == before + reads
    just_now = timezone.now() - timedelta(minutes=1)
    assert LeverConnection.objects.filter(feedback_template_read_at__gt=just_now).exists()


@pytest.mark.parametrize("is_ignored", [False, True], ids=["refused", "ignored"])
def test_a_result_is_complete_when_the_template_was_edited_since_it_was_copied(scenario, sandbox, is_ignored):
    sandbox.lever_does("settings", ignores_unknown_fields=is_ignored)
    scenario.sent_invitation()
    edit_template(sandbox, "Failure reason")
    scenario.evaluate(score=82, result="Passed")
    [form] = feedback_forms(sandbox)
    assert (form["fields"]["CodeScreen score"], form["fields"]["Rating"]) == ("82", "4 - Strong Hire")
    before = feedback_reads(scenario)
    scenario.sent_invitation("Tamarack")
    scenario.evaluate(word="Tamarack", score=60, result="Passed")
    [form] = feedback_forms(sandbox, "Tamarack")
    assert form["fields"]["CodeScreen score"] == "60"
    assert feedback_reads(scenario) == before + is_ignored


def test_an_incomplete_form_is_completed_later_when_its_update_fails(scenario, sandbox):
    sandbox.lever_does("settings", ignores_unknown_fields=True)
    invitation = scenario.sent_invitation()
    edit_template(sandbox)
    scenario.lever_fails("/feedback/", method="PUT", status=503)
    scenario.evaluate(score=82, result="Passed")
    assert scenario.latest_effect("write_feedback").state == "due"
    assert scenario.reread(invitation).feedback_id
    scenario.work_waiting()
    [form] = feedback_forms(sandbox)
    assert form["fields"]["CodeScreen score"] == "82"


def test_feedback_fails_with_levers_answer_when_the_template_is_as_it_was_copied(scenario, sandbox):
    scenario.sent_invitation()
    scenario.lever_fails("/feedback$", status=400, times=2)
    scenario.evaluate(score=82, result="Passed")
    effect = scenario.latest_effect("write_feedback")
    assert (effect.state, "400" in effect.last_error) == ("failed", True)
    assert not feedback_forms(sandbox)


def feedback_writes(scenario):
    """Return how often feedback was created, and how often updated."""
    calls = scenario.organization.calls.filter(platform="lever", path__contains="/feedback", status__lt=300)
    return tuple(calls.filter(method=method, path__contains="/opp").count() for method in ("POST", "PUT"))


@pytest.mark.parametrize("answers_of_score", ["POST", ""])
def test_the_rating_is_in_the_options_words_whatever_its_type_is_called(scenario, sandbox, answers_of_score):
    sandbox.lever_does("settings", answers_of_score=answers_of_score)
    scenario.completed_invitation(score=62, result="Passed")
    assert feedback_forms(sandbox)[0]["fields"]["Rating"] == "3 - Hire"
    assert feedback_writes(scenario) == (1, 0)
    scenario.candidate_does("regrade", score=90, result="Passed")
    [form] = feedback_forms(sandbox)
    assert form["fields"]["Rating"] == "4 - Strong Hire"
    assert feedback_writes(scenario) == (1, 1)
    scenario.candidate_does("regrade", result="Failed", reason="Build Failure")
    assert feedback_forms(sandbox)[0]["fields"]["Rating"] is None


@pytest.mark.parametrize("is_stored", [False, True])
def test_feedback_is_written_once_when_its_worker_was_killed_after_writing(scenario, sandbox, is_stored):
    invitation = scenario.completed_invitation(score=82, result="Passed")
    if not is_stored:
        type(invitation).objects.filter(pk=invitation.pk).update(feedback_id="")
    Effect.objects.filter(kind="write_feedback").update(state="due", done_at=None)
    scenario.work_waiting()
    assert scenario.latest_effect("write_feedback").state == "done"
    assert feedback_writes(scenario) == (1, 0)
    assert scenario.reread(invitation).feedback_id == feedback_forms(sandbox)[0]["id"]


# make the feedback template once per organization, and again when it was deleted


def test_the_template_is_found_when_the_answer_to_its_creation_was_lost(scenario, sandbox):
    sandbox.account.templates.clear()
    LeverConnection.objects.update(feedback_template_id="")
    scenario.lever_fails("/feedback_templates", kind="reset_after")
    scenario.completed_invitation(score=82, result="Passed")
    scenario.work_waiting()
    scenario.work_waiting()
    assert len(portal_templates(sandbox)) == 1
    assert len(feedback_forms(sandbox)) == 1


def test_the_template_is_made_again_when_it_was_deleted(scenario, sandbox):
    scenario.completed_invitation(score=40, result="Failed")
    sandbox.account.templates.pop(LeverConnection.objects.get().feedback_template_id)
    scenario.sent_invitation("Tamarack")
    scenario.evaluate(word="Tamarack", score=82, result="Passed")
    scenario.work_waiting()
    scenario.work_waiting()
    assert len(portal_templates(sandbox)) == 1
    [form] = feedback_forms(sandbox, "Tamarack")
    assert form["fields"]["CodeScreen score"] == "82"


def test_feedback_fails_when_lever_keeps_refusing_the_template(scenario, sandbox):
    scenario.sent_invitation()
    sandbox.account.templates.clear()
    scenario.lever_fails("/feedback_templates$", status=403, times=1000)
    scenario.evaluate(score=80)
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
    theirs = FeedbackTemplate("theirs", feedback_template.TEMPLATE_NAME, "Don't touch.", build_fields(sent))
    sandbox.account.templates["theirs"] = theirs
    scenario.completed_invitation(score=82, result="Passed")
    scenario.work_waiting()
    assert len(portal_templates(sandbox)) == 2
    assert LeverConnection.objects.get().feedback_template_id != "theirs"


# the results that effects write as feedback


def test_results_are_of_the_effects_own_organization(organization):
    invitation = factories.InvitationFactory.create(organization=organization)
    result = Result.objects.create(invitation=invitation, outcome="Passed")
    other = factories.OrganizationFactory.create()
    effects = [
        factories.EffectFactory.create(
            organization=owner, kind="write_feedback", key="feedback", payload={"result": result.pk}
        )
        for owner in (organization, other)
    ]
    assert results_of(effects) == {effects[0].pk: result}
    assert results_of([Effect(kind="leave_note", payload={"result": result.pk})]) == {}
