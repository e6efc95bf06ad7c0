"""Write to the candidate in Lever: one progress tag, one link, one note, whatever Lever answers."""

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
NOT_ACCEPTED = [
    {"kind": "status", "status": 503},
    {"kind": "reset_before"},
    {"kind": "status", "status": 429},
]


def progress_tags(sandbox, word="Alder"):
    """Return the progress tags a candidate has in Lever."""
    return [tag for tag in sandbox.opportunity(word)["tags"] if tag.startswith("CodeScreen:")]


@pytest.fixture
def invitation(scenario):
    """An invitation that nothing was enqueued for."""
    return factories.InvitationFactory(
        organization=scenario.organization, opportunity_id=scenario.sandbox.opportunity_id("Alder")
    )


# tags


def test_a_progress_tag_replaces_the_other_progress_tags(scenario, sandbox, invitation):
    others = [*ProgressTag, "codescreen:  candidate invited", "urgent", "CodeScreen Backend"]
    sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id("Alder")], add=others)
    enqueue.enqueue_progress_tag(invitation, ProgressTag.COMPLETED)
    scenario.work()
    assert progress_tags(sandbox) == [ProgressTag.COMPLETED]
    assert {"urgent", "CodeScreen Backend"} <= set(sandbox.opportunity("Alder")["tags"])


def test_a_waiting_progress_tag_is_cancelled_by_a_later_one(scenario, sandbox, invitation):
    for tag in (ProgressTag.INVITED, ProgressTag.IN_PROGRESS, ProgressTag.COMPLETED):
        enqueue.enqueue_progress_tag(invitation, tag)
    scenario.work()
    states = list(
        Effect.objects.filter(kind="set_progress_tag").order_by("pk").values_list("state", flat=True)
    )
    assert states == ["cancelled", "cancelled", "done"]
    assert progress_tags(sandbox) == [ProgressTag.COMPLETED]
    assert sandbox.opportunity("Alder")["writes"].get("addTags") == 1


def test_a_retried_progress_tag_does_not_undo_a_later_one(scenario, sandbox, invitation, monkeypatch):
    enqueue.enqueue_progress_tag(invitation, ProgressTag.INVITED)
    older = factories.claimed(Effect, "slow")

    def enqueue_later_tag_and_fail(*_):
        enqueue.enqueue_progress_tag(invitation, ProgressTag.IN_PROGRESS)
        raise PlatformError("lever answered 503", status=503)

    with monkeypatch.context() as patch:
        patch.setattr("integrations.lever.client.LeverClient.add_tags", enqueue_later_tag_and_fail)
        worker.perform_effect(older)  # it waits for its retry, and the later one is performed first
    scenario.work()
    assert progress_tags(sandbox) == [ProgressTag.IN_PROGRESS]
    scenario.work_waiting()
    assert progress_tags(sandbox) == [ProgressTag.IN_PROGRESS]
    older.refresh_from_db()
    assert older.state in {"done", "cancelled"}


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("path", ["/addTags", "/removeTags"])
def test_one_progress_tag_is_left_when_the_answer_was_lost(scenario, sandbox, invitation, kind, path):
    sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id("Alder")], add=[ProgressTag.INVITED])
    enqueue.enqueue_progress_tag(invitation, ProgressTag.IN_PROGRESS)
    scenario.lever_fails(path, kind=kind)
    scenario.work()
    assert set(progress_tags(sandbox)) <= {ProgressTag.INVITED, ProgressTag.IN_PROGRESS}
    assert progress_tags(sandbox)
    scenario.work_waiting()
    assert progress_tags(sandbox) == [ProgressTag.IN_PROGRESS]


@pytest.mark.parametrize("answer", [None, {}, {"data": {"id": "x"}}, {"data": []}])
def test_all_other_progress_tags_are_removed_when_the_answer_lists_no_tags(
    scenario, monkeypatch, invitation, answer
):
    calls = []

    def request(_, method, path, **more):
        calls.append((path.rsplit("/", 1)[1], more["payload"]["tags"]))
        return answer

    monkeypatch.setattr("integrations.http.session.PlatformSession.request", request)
    enqueue.enqueue_progress_tag(invitation, ProgressTag.COMPLETED)
    scenario.work()
    others = [tag for tag in ProgressTag if tag != ProgressTag.COMPLETED]
    assert calls == [("addTags", [ProgressTag.COMPLETED]), ("removeTags", others)]


def test_the_connected_user_is_the_author_of_all_writes(scenario, sandbox, invitation):
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


def enqueue_note_on_candidate(scenario, text="CodeScreen: nothing was sent."):
    """Enqueue a note on a seeded candidate."""
    enqueue.enqueue_note(scenario.organization, scenario.sandbox.opportunity_id("Alder"), "no_email", text)


def test_a_note_is_left_once_per_opportunity_and_code(scenario, sandbox):
    enqueue_note_on_candidate(scenario)
    enqueue_note_on_candidate(scenario, "CodeScreen: another sentence.")
    scenario.work()
    assert sandbox.opportunity("Alder")["note_texts"] == ["CodeScreen: nothing was sent."]


@pytest.mark.parametrize("kind", LOST)
def test_a_note_whose_answer_was_lost_is_not_left_twice(scenario, sandbox, kind):
    scenario.lever_fails("/notes", kind=kind)
    enqueue_note_on_candidate(scenario)
    scenario.work()
    assert scenario.latest_effect("leave_note").state == "due"
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").state == "done"
    assert sandbox.opportunity("Alder")["note_texts"] == ["CodeScreen: nothing was sent."]


@pytest.mark.parametrize("kind", ["status_after", "reset_after"])
def test_a_note_is_left_once_when_the_lookup_after_a_lost_answer_fails(scenario, sandbox, kind):
    scenario.lever_fails("/notes", kind=kind)
    enqueue_note_on_candidate(scenario)
    scenario.work()
    scenario.lever_fails("/notes", method="GET", status=503)
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").attempt_started_at is not None
    scenario.work_waiting()
    assert scenario.latest_effect("leave_note").state == "done"
    assert sandbox.opportunity("Alder")["notes"] == 1


@pytest.mark.parametrize(
    "rule", NOT_ACCEPTED, ids=lambda rule: str(rule["kind"]) + str(rule.get("status", ""))
)
def test_a_note_is_left_later_when_lever_did_not_accept_it(scenario, sandbox, rule):
    scenario.lever_fails("/notes", **rule)
    enqueue_note_on_candidate(scenario)
    scenario.work()
    assert sandbox.opportunity("Alder")["notes"] == 0
    scenario.work_waiting()
    assert sandbox.opportunity("Alder")["note_texts"] == ["CodeScreen: nothing was sent."]


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


# links


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


def test_two_effects_of_one_candidate_are_not_claimed_at_once(scenario, invitation):
    enqueue.enqueue_progress_tag(invitation, ProgressTag.INVITED)
    enqueue_note_on_candidate(scenario)
    first = factories.claimed(Effect, "one")
    assert Effect.claim("two") is None
    first.finish()
    assert Effect.claim("two") is not None


def test_stable_ids_match_the_seeded_candidates(sandbox):
    assert sandbox.opportunity_id("Alder") == stable_id("acme", "opportunity", "Alder")
