"""What is written to the candidate: one progress tag, one link, one note, whatever Lever answers."""

import pytest

from integrations.http.errors import PlatformError
from integrations.models import Effect
from integrations.queue import worker
from integrations.vocabulary import ProgressTag
from integrations.workflow.outbox import enqueue
from integrations.workflow.outbox.payloads import ReportLinkPayload
from portal.devtools.sandbox.ids import stable_id
from tests import factories

LOST = ["status_after", "reset_after", "truncated"]
NOT_TAKEN = [{"kind": "status", "status": 503}, {"kind": "reset_before"}, {"kind": "status", "status": 429}]


def progress(sandbox, word="Alder"):
    """Return the progress tags a candidate has in Lever."""
    return [tag for tag in sandbox.opportunity(word)["tags"] if tag.startswith("CodeScreen:")]


@pytest.fixture
def invitation(scenario):
    """An invitation that nothing has been done about."""
    return factories.InvitationFactory(
        organization=scenario.organization, opportunity_id=scenario.sandbox.opportunity_id("Alder")
    )


# tags


def test_the_new_tag_takes_the_place_of_the_others(scenario, sandbox, invitation):
    others = [*ProgressTag, "codescreen:  candidate invited", "urgent", "CodeScreen Backend"]
    sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id("Alder")], add=others)
    enqueue.enqueue_progress_tag(invitation, ProgressTag.COMPLETED)
    scenario.work()
    assert progress(sandbox) == [ProgressTag.COMPLETED]
    assert {"urgent", "CodeScreen Backend"} <= set(sandbox.opportunity("Alder")["tags"])


def test_a_later_wish_cancels_one_that_waits(scenario, sandbox, invitation):
    for tag in (ProgressTag.INVITED, ProgressTag.IN_PROGRESS, ProgressTag.COMPLETED):
        enqueue.enqueue_progress_tag(invitation, tag)
    scenario.work()
    states = list(
        Effect.objects.filter(kind="set_progress_tag").order_by("pk").values_list("state", flat=True)
    )
    assert states == ["cancelled", "cancelled", "done"]
    assert progress(sandbox) == [ProgressTag.COMPLETED]
    assert sandbox.opportunity("Alder")["writes"].get("addTags") == 1


def test_an_older_wish_that_is_tried_again_does_not_undo_the_later_one(
    scenario, sandbox, invitation, monkeypatch
):
    enqueue.enqueue_progress_tag(invitation, ProgressTag.INVITED)
    older = factories.claimed(Effect, "slow")

    def overtaken(*_):
        enqueue.enqueue_progress_tag(invitation, ProgressTag.IN_PROGRESS)
        raise PlatformError("lever answered 503", status=503)

    with monkeypatch.context() as patch:
        patch.setattr("integrations.lever.client.LeverClient.add_tags", overtaken)
        worker.perform_effect(older)  # it waits for its next try, and the later one goes first
    scenario.work()
    assert progress(sandbox) == [ProgressTag.IN_PROGRESS]
    scenario.work_waiting()
    assert progress(sandbox) == [ProgressTag.IN_PROGRESS]
    older.refresh_from_db()
    assert older.state in {"done", "cancelled"}


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("path", ["/addTags", "/removeTags"])
def test_a_lost_answer_leaves_one_tag(scenario, sandbox, invitation, kind, path):
    sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id("Alder")], add=[ProgressTag.INVITED])
    enqueue.enqueue_progress_tag(invitation, ProgressTag.IN_PROGRESS)
    scenario.lever_fails(path, kind=kind)
    scenario.work()
    assert set(progress(sandbox)) <= {ProgressTag.INVITED, ProgressTag.IN_PROGRESS}
    assert progress(sandbox)
    scenario.work_waiting()
    assert progress(sandbox) == [ProgressTag.IN_PROGRESS]


@pytest.mark.parametrize("answer", [None, {}, {"data": {"id": "x"}}, {"data": []}])
def test_an_answer_that_does_not_say_the_tags_is_made_up_for(scenario, monkeypatch, invitation, answer):
    calls = []

    def request(_, method, path, **more):
        calls.append((path.rsplit("/", 1)[1], more["payload"]["tags"]))
        return answer

    monkeypatch.setattr("integrations.http.session.PlatformSession.request", request)
    enqueue.enqueue_progress_tag(invitation, ProgressTag.COMPLETED)
    scenario.work()
    others = [tag for tag in ProgressTag if tag != ProgressTag.COMPLETED]
    assert calls == [("addTags", [ProgressTag.COMPLETED]), ("removeTags", others)]


def test_writes_are_shown_to_be_by_the_connected_user(scenario, sandbox, invitation):
    sandbox.lever_does("settings", strict_perform_as=True)
    enqueue.enqueue_progress_tag(invitation, ProgressTag.INVITED)
    enqueue.enqueue_note(
        scenario.organization, invitation.opportunity_id, "no_email", "CodeScreen: nothing was sent."
    )
    enqueue.enqueue(
        scenario.organization,
        "add_report_link",
        "x",
        invitation=invitation,
        payload=ReportLinkPayload("https://report.example/1"),
    )
    scenario.work()
    assert set(Effect.objects.values_list("state", flat=True)) == {"done"}


# notes


def leave_note(scenario, text="CodeScreen: nothing was sent."):
    enqueue.enqueue_note(scenario.organization, scenario.sandbox.opportunity_id("Alder"), "no_email", text)


def test_a_note_is_left_once_per_opportunity_and_code(scenario, sandbox):
    leave_note(scenario)
    leave_note(scenario, "CodeScreen: another sentence.")
    scenario.work()
    assert sandbox.opportunity("Alder")["note_texts"] == ["CodeScreen: nothing was sent."]


@pytest.mark.parametrize("kind", LOST)
def test_a_note_whose_answer_was_lost_is_not_left_twice(scenario, sandbox, kind):
    scenario.lever_fails("/notes", kind=kind)
    leave_note(scenario)
    scenario.work()
    assert scenario.latest_effect("leave_note").state == "due"
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").state == "done"
    assert sandbox.opportunity("Alder")["note_texts"] == ["CodeScreen: nothing was sent."]


@pytest.mark.parametrize("kind", ["status_after", "reset_after"])
def test_failing_to_look_does_not_make_it_forget_the_lost_answer(scenario, sandbox, kind):
    scenario.lever_fails("/notes", kind=kind)
    leave_note(scenario)
    scenario.work()
    scenario.lever_fails("/notes", method="GET", status=503)
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").attempt_started_at is not None
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").state == "done"
    assert sandbox.opportunity("Alder")["notes"] == 1


@pytest.mark.parametrize("rule", NOT_TAKEN, ids=lambda rule: str(rule["kind"]) + str(rule.get("status", "")))
def test_a_note_that_was_not_taken_is_left_later(scenario, sandbox, rule):
    scenario.lever_fails("/notes", **rule)
    leave_note(scenario)
    scenario.work()
    assert sandbox.opportunity("Alder")["notes"] == 0
    scenario.work_waiting()
    assert sandbox.opportunity("Alder")["note_texts"] == ["CodeScreen: nothing was sent."]


def test_a_worker_killed_after_writing_the_note_leaves_one(scenario, sandbox):
    leave_note(scenario)
    effect = scenario.latest_effect("leave_note")
    scenario.work()
    Effect.objects.filter(pk=effect.pk).update(state="due", done_at=None, due_at=effect.due_at)
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").state == "done"
    assert sandbox.opportunity("Alder")["notes"] == 1


def test_a_note_on_somebody_who_is_gone_fails_and_says_so(scenario, sandbox):
    leave_note(scenario)
    sandbox.lever_does("delete", opportunities=[sandbox.opportunity_id("Alder")])
    scenario.work()
    effect = scenario.latest_effect("leave_note")
    assert effect.state == "failed"
    assert "404" in effect.last_error


# links


@pytest.mark.parametrize("kind", LOST)
def test_the_report_is_among_the_links_once(scenario, sandbox, invitation, kind):
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


def test_two_effects_of_one_candidate_are_never_performed_at_once(scenario, invitation):
    enqueue.enqueue_progress_tag(invitation, ProgressTag.INVITED)
    leave_note(scenario)
    first = factories.claimed(Effect, "one")
    assert Effect.claim("two") is None
    first.finish()
    assert Effect.claim("two") is not None


def test_the_seeded_ids_are_those_the_tests_use(sandbox):
    assert sandbox.opportunity_id("Alder") == stable_id("acme", "opportunity", "Alder")
