"""Feedback: one form per invitation, by its own field ids, on a template that is made once and remade."""

import pytest

from integrations.codescreen.payloads import Progress
from integrations.models import Effect, LeverConnection, Result
from integrations.workflow.catalog import feedback_template
from integrations.workflow.operations.effects import retry_effect
from integrations.workflow.results.rating import rate
from portal.devtools.sandbox.lever.behaviour.feedback_fields import build_fields

LOST = ["status_after", "reset_after", "truncated"]


def forms(sandbox, word="Alder"):
    """Return the feedback a candidate has in Lever."""
    return sandbox.opportunity(word)["feedback"]


def account(sandbox):
    """Return the pretend Lever's books of the account, for acts that need no button."""
    return sandbox.lever.accounts["acme"]


def ours(sandbox):
    """Return our templates in Lever."""
    return [
        item for item in account(sandbox).templates.values() if item.text == feedback_template.TEMPLATE_NAME
    ]


def finish(scenario, **verdict):
    scenario.candidate_does("start", "submit", "evaluate", **verdict)


def test_a_passed_result(scenario, sandbox):
    invitation = scenario.sent_invitation()
    finish(scenario, score=82, result="Passed")
    [form] = forms(sandbox)
    report = Result.objects.get().report_url
    assert form["text"] == "CodeScreen assessment"
    assert form["user"] == LeverConnection.objects.get().lever_user_id
    assert form["fields"] == {
        "Rating": "4 - Strong Hire",
        "Assessment": "Backend",
        "CodeScreen score": "82",
        "Result": "Passed",
        "Failure reason": "",
        "Report link": report,
        "Reference": invitation.reference,
    }
    assert report in sandbox.opportunity("Alder")["links"]
    assert scenario.reread(invitation).feedback_id == form["id"] == Result.objects.get().feedback_id


@pytest.mark.parametrize(
    ("verdict", "fields", "tag"),
    [
        (
            {"score": 40, "result": "Failed"},
            {"Rating": "2 - No Hire", "Result": "Failed", "Failure reason": "Unit Tests"},
            "Completed",
        ),
        (
            {"score": 90, "result": "Failed", "reason": "Build Failure"},
            {"Rating": "1 - Strong No Hire", "CodeScreen score": "", "Failure reason": "Build Failure"},
            "Completed",
        ),
        (
            {"score": 0, "result": "Failed"},
            {"Rating": "1 - Strong No Hire", "CodeScreen score": "0"},
            "Completed",
        ),
        (
            {"score": None, "result": "Passed"},
            {"Rating": None, "CodeScreen score": "", "Result": "Passed"},
            "Completed",
        ),
    ],
)
def test_what_is_stated_is_written(scenario, sandbox, verdict, fields, tag):
    scenario.sent_invitation()
    finish(scenario, **verdict)
    [form] = forms(sandbox)
    assert {name: form["fields"][name] for name in fields} == fields
    assert [name for name in sandbox.opportunity("Alder")["tags"] if name.startswith("CodeScreen:")] == [
        f"CodeScreen: Assessment {tag}"
    ]


def test_expired_is_rated_1_and_tagged(scenario, sandbox):
    scenario.sent_invitation()
    scenario.candidate_does("expire")
    [form] = forms(sandbox)
    assert (form["fields"]["Rating"], form["fields"]["Result"]) == ("1 - Strong No Hire", "Expired")
    assert "CodeScreen: Assessment Expired" in sandbox.opportunity("Alder")["tags"]


@pytest.mark.parametrize(("score", "result"), [(99, "Failed"), (12, "Passed"), (50, None)])
def test_where_codescreen_states_no_result_none_is_guessed(scenario, sandbox, score, result):
    sandbox.codescreen_does("settings", metadata=False)
    scenario.sent_invitation()
    finish(scenario, score=score, result=result)
    [form] = forms(sandbox)
    assert form["fields"]["Result"] == "Not stated by CodeScreen"
    assert form["fields"]["CodeScreen score"] == str(score)
    stored = Result.objects.get()
    assert (stored.outcome, stored.failure_reason) == ("", "")
    everything = str(forms(sandbox)) + str(
        list(Effect.objects.filter(kind="send_email").values_list("payload", flat=True))
    )
    assert "Passed" not in everything
    assert "Failed" not in everything


@pytest.mark.parametrize(
    ("score", "expected"), [(0, 1), (24, 1), (25, 2), (49, 2), (50, 3), (74, 3), (75, 4), (100, 4)]
)
def test_the_rating_goes_by_quarters(score, expected):
    assert rate(Progress("Complete", score=score), (25, 50, 75)) == expected
    # what CodeScreen calls the result doesn't change what the score says
    assert rate(Progress("Complete", score=score, outcome="Failed"), (25, 50, 75)) == expected


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (Progress("Complete", outcome="Expired"), 1),
        (Progress("Complete", failure_reason="Build Failure"), 1),
        (Progress("Complete", failure_reason="BUILD TIMEOUT"), 1),
        (Progress("Complete", failure_reason="expired"), 1),
        (Progress("Complete", failure_reason="Unit Tests", outcome="Failed"), None),
        (Progress("Complete", outcome="Passed"), None),
        (Progress("Complete"), None),
        (Progress("Complete", outcome="Expired", score=80), 4),
    ],
)
def test_the_rating_without_a_score(progress, expected):
    assert rate(progress, (25, 50, 75)) == expected


def test_the_thresholds_are_the_organizations():
    assert [rate(Progress("Complete", score=score), (10, 90, 100)) for score in (9, 10, 90, 99, 100)] == [
        1,
        2,
        3,
        3,
        4,
    ]


def test_no_personal_data_is_written(scenario, sandbox):
    scenario.sent_invitation()
    finish(scenario, score=82, result="Passed")
    seen = sandbox.opportunity("Alder")
    written = (
        str([form["fields"] for form in seen["feedback"]])
        + str(seen["note_texts"])
        + str(seen["tags"])
        + str(seen["links"])
    )
    assert "Alder" not in written
    assert "@" not in written


# once


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_leaves_one_form(scenario, sandbox, kind):
    scenario.sent_invitation()
    scenario.lever_fails("/feedback$", kind=kind)
    finish(scenario, score=82, result="Passed")
    assert scenario.latest_effect("write_feedback").state == "due"
    scenario.work_waiting()
    assert scenario.latest_effect("write_feedback").state == "done"
    assert len(forms(sandbox)) == 1


def test_a_lost_answer_and_then_a_failing_look_leave_one_form(scenario, sandbox):
    scenario.sent_invitation()
    scenario.lever_fails("/feedback$", kind="reset_after")
    finish(scenario, score=82, result="Passed")
    scenario.lever_fails("/feedback$", method="GET", status=503)
    scenario.work_waiting()
    scenario.work_waiting()
    assert scenario.latest_effect("write_feedback").state == "done"
    assert len(forms(sandbox)) == 1


def test_a_regrade_after_a_lost_answer_updates_the_form_that_was_written(scenario, sandbox):
    scenario.sent_invitation()
    scenario.lever_fails("/feedback$", kind="reset_after")
    finish(scenario, score=40, result="Failed")
    assert len(forms(sandbox)) == 1
    scenario.candidate_does("regrade", score=90, result="Passed")
    scenario.work_waiting()
    [form] = forms(sandbox)
    assert form["fields"]["CodeScreen score"] == "90"
    assert set(Effect.objects.filter(kind="write_feedback").values_list("state", flat=True)) == {"done"}


def test_a_worker_killed_after_writing_leaves_one_form(scenario, sandbox):
    invitation = scenario.sent_invitation()
    finish(scenario, score=82, result="Passed")
    effect = scenario.latest_effect("write_feedback")
    type(invitation).objects.filter(pk=invitation.pk).update(feedback_id="")
    Effect.objects.filter(pk=effect.pk).update(state="due", done_at=None)
    scenario.work_waiting()
    assert len(forms(sandbox)) == 1
    assert scenario.reread(invitation).feedback_id == forms(sandbox)[0]["id"]


# again


def test_a_regrade_updates_the_same_form_and_says_which_attempt(scenario, sandbox):
    scenario.sent_invitation()
    finish(scenario, score=40, result="Failed")
    [before] = forms(sandbox)
    scenario.candidate_does("regrade", score=90, result="Passed")
    [after] = forms(sandbox)
    assert after["id"] == before["id"]
    assert after["fields"]["Assessment"] == "Backend (attempt 2)"
    assert (after["fields"]["Rating"], after["fields"]["Failure reason"]) == ("4 - Strong Hire", "")


def test_a_form_that_was_deleted_in_lever_is_written_anew(scenario, sandbox):
    scenario.sent_invitation()
    finish(scenario, score=40, result="Failed")
    delete_forms(sandbox)
    scenario.candidate_does("regrade", score=90, result="Passed")
    [form] = forms(sandbox)
    assert form["fields"]["CodeScreen score"] == "90"
    assert sandbox.opportunity("Alder")["feedback_deleted"] == 1


def test_a_form_written_anew_whose_answer_was_lost_is_one(scenario, sandbox):
    scenario.sent_invitation()
    finish(scenario, score=40, result="Failed")
    delete_forms(sandbox)
    scenario.lever_fails("/feedback$", kind="reset_after")
    scenario.candidate_does("regrade", score=90, result="Passed")
    scenario.work_waiting()
    assert scenario.latest_effect("write_feedback").state == "done"
    assert len(forms(sandbox)) == 1


def delete_forms(sandbox):
    """Delete a candidate's feedback in Lever."""
    for form in account(sandbox).opportunities[sandbox.opportunity_id("Alder")].feedback.values():
        form.deleted_at = 1


def test_a_regrade_that_comes_before_the_first_is_written_writes_once(scenario, sandbox):
    scenario.sent_invitation()
    scenario.lever_fails("/feedback", status=503, times=5)
    finish(scenario, score=40, result="Failed")
    scenario.candidate_does("regrade", score=90, result="Passed")
    scenario.lever_fails("nothing")
    scenario.work_waiting()
    [form] = forms(sandbox)
    assert form["fields"]["CodeScreen score"] == "90"
    assert sandbox.opportunity("Alder")["writes"]["feedback"] == 1


# the template


def test_the_template_is_made_once(scenario, sandbox):
    for word in ("Alder", "Tamarack"):
        scenario.sent_invitation(word)
        scenario.candidate_does("start", "submit", "evaluate", word=word, score=82, result="Passed")
        scenario.work_waiting()
    assert len(ours(sandbox)) == 1
    assert len(forms(sandbox)) == len(forms(sandbox, "Tamarack")) == 1


def test_a_template_whose_answer_was_lost_is_found_again(scenario, sandbox):
    account(sandbox).templates.clear()
    LeverConnection.objects.update(feedback_template_id="")
    scenario.lever_fails("/feedback_templates", kind="reset_after")
    scenario.sent_invitation()
    finish(scenario, score=82, result="Passed")
    scenario.work_waiting()
    scenario.work_waiting()
    assert len(ours(sandbox)) == 1
    assert len(forms(sandbox)) == 1


def test_a_template_that_was_deleted_is_made_again(scenario, sandbox):
    scenario.sent_invitation()
    finish(scenario, score=40, result="Failed")
    account(sandbox).templates.pop(LeverConnection.objects.get().feedback_template_id)
    scenario.sent_invitation("Tamarack")
    scenario.candidate_does("start", "submit", "evaluate", word="Tamarack", score=82, result="Passed")
    scenario.work_waiting()
    scenario.work_waiting()
    assert len(ours(sandbox)) == 1
    [form] = forms(sandbox, "Tamarack")
    assert form["fields"]["CodeScreen score"] == "82"


def test_a_template_that_lever_refuses_is_not_asked_for_without_end(scenario, sandbox):
    scenario.sent_invitation()
    account(sandbox).templates.clear()
    scenario.lever_fails("/feedback_templates$", status=403, times=1000)
    finish(scenario, score=80)
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
    assert len(forms(sandbox)) == 1


def test_a_template_that_was_edited_is_read_again(scenario, sandbox):
    scenario.sent_invitation()
    finish(scenario, score=40, result="Failed")
    [template] = ours(sandbox)
    edited = [field for field in feedback_template.TEMPLATE["fields"] if field["text"] != "Failure reason"]
    template.fields = build_fields([{"type": "yes-no", "text": "Invite to an interview?"}, *reversed(edited)])
    scenario.sent_invitation("Tamarack")
    scenario.candidate_does("start", "submit", "evaluate", word="Tamarack", score=82, result="Passed")
    [form] = forms(sandbox, "Tamarack")
    assert (form["fields"]["CodeScreen score"], form["fields"]["Rating"]) == ("82", "4 - Strong Hire")
    assert form["fields"]["Invite to an interview?"] is None
    # the earlier form keeps the fields it was made with
    scenario.candidate_does("regrade", score=60, result="Passed")
    [form] = forms(sandbox)
    assert (form["fields"]["CodeScreen score"], form["fields"]["Rating"]) == ("60", "3 - Hire")


def test_a_template_of_the_customers_own_with_the_same_name_is_left_alone(scenario, sandbox):
    sent = [{"type": "score-system", "text": "Rating"}, {"type": "text", "text": "Reference"}]
    theirs = type(account(sandbox).templates[next(iter(account(sandbox).templates))])(
        "theirs",
        feedback_template.TEMPLATE_NAME,
        "Ours, please don't touch.",
        build_fields(sent),
        by_api=False,
    )
    account(sandbox).templates["theirs"] = theirs
    scenario.sent_invitation()
    finish(scenario, score=82, result="Passed")
    scenario.work_waiting()
    assert len(ours(sandbox)) == 2
    assert LeverConnection.objects.get().feedback_template_id != "theirs"


@pytest.mark.parametrize(
    "texts",
    [
        ["4 - Strong Hire", "3 - Hire", "2 - No Hire", "1 - Strong No Hire"],
        ["1 – no", "2 – rather not", "3 – rather", "4 – yes"],
        ["Strong yes", "Yes", "No", "Strong no"],
    ],
)
def test_the_rating_is_said_in_the_customers_words(scenario, sandbox, texts):
    scenario.sent_invitation()
    finish(scenario, score=40, result="Failed")
    [template] = ours(sandbox)
    for field in template.fields:
        if field["type"] == "score-system":
            field["options"] = [{"text": text} for text in texts]
    scenario.sent_invitation("Tamarack")
    scenario.candidate_does("start", "submit", "evaluate", word="Tamarack", score=82, result="Passed")
    [form] = forms(sandbox, "Tamarack")
    assert form["fields"]["Rating"] == next(text for text in texts if text.startswith(("4", "Strong yes")))


# the author


def test_feedback_needs_an_author_and_finds_one(scenario, sandbox):
    LeverConnection.objects.update(lever_user_id="")
    scenario.sent_invitation()
    finish(scenario, score=82, result="Passed")
    [form] = forms(sandbox)
    author = account(sandbox).users[form["user"]]
    assert author.role == "super admin"
    assert author.deactivated_at is None


def test_an_author_who_left_is_replaced(scenario, sandbox):
    scenario.sent_invitation()
    account(sandbox).users[LeverConnection.objects.get().lever_user_id].deactivated_at = 1
    sandbox.lever_does("settings", strict_perform_as=True)
    finish(scenario, score=82, result="Passed")
    scenario.work_waiting()
    [form] = forms(sandbox)
    assert account(sandbox).users[form["user"]].deactivated_at is None
