"""Leave exactly one progress tag on the candidate, whatever Lever answers, and the customer's own tag for a result."""

import pytest

from integrations.core.rules import names
from integrations.core.vocabulary import ProgressTag
from integrations.health.checks.work import check_failed_effects
from integrations.invitations.acts.invitations import retry_effect
from integrations.outbox.models.effect import Effect
from tests.outbox.conftest import LOST
from tests.support import factories
from tests.support.effects import enqueue_progress_tag

FORMER = "CodeScreen: Invitation Sent"


def progress_tags(sandbox, word="Alder"):
    """Return the progress tags a candidate has in Lever."""
    return [tag for tag in sandbox.opportunity(word)["tags"] if tag.startswith("CodeScreen:")]


def claimed_tag():
    """Return the waiting progress tag, claimed by a worker."""
    Effect.objects.exclude(kind="set_progress_tag").update(state="done", due_at=None)
    return factories.claimed(Effect, "slow")


def test_a_progress_tag_replaces_the_other_progress_tags(scenario, sandbox, invitation):
    others = [*ProgressTag, "codescreen:  candidate invited", "urgent", "CodeScreen Backend"]
    sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id("Alder")], add=others)
    enqueue_progress_tag(invitation, ProgressTag.COMPLETED)
    scenario.work()
    assert progress_tags(sandbox) == [ProgressTag.COMPLETED]
    assert {"urgent", "CodeScreen Backend"} <= set(sandbox.opportunity("Alder")["tags"])
    written = Effect.objects.get(kind="set_progress_tag").written
    assert written["tags"] == [ProgressTag.COMPLETED]
    assert set(written["removed"]) == {*ProgressTag, others[-3]} - {ProgressTag.COMPLETED}
    assert "is_removal_known" not in written


@pytest.mark.parametrize("path", ["/addTags", "/removeTags"])
def test_one_progress_tag_is_left_when_the_answer_was_lost(scenario, sandbox, invitation, path):
    sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id("Alder")], add=[ProgressTag.INVITED])
    enqueue_progress_tag(invitation, ProgressTag.IN_PROGRESS)
    scenario.lever_fails(path, kind=LOST)
    scenario.work()
    assert set(progress_tags(sandbox)) <= {ProgressTag.INVITED, ProgressTag.IN_PROGRESS}
    assert progress_tags(sandbox)
    scenario.work_waiting()
    assert progress_tags(sandbox) == [ProgressTag.IN_PROGRESS]


def test_all_other_progress_tags_are_removed_when_the_answer_lists_no_tags(scenario, monkeypatch, invitation):
    monkeypatch.setattr(names, "FORMER_PROGRESS_TAGS", (FORMER,))
    calls = []

    def request(_, method, path, **more):
        calls.append((path.rsplit("/", 1)[1], more["payload"]["tags"]))
        return {"data": {"id": "x"}}

    monkeypatch.setattr("integrations.http.session.PlatformSession.request", request)
    enqueue_progress_tag(invitation, ProgressTag.COMPLETED)
    scenario.work()
    others = [*(tag for tag in ProgressTag if tag != ProgressTag.COMPLETED), FORMER]
    assert calls == [("addTags", [ProgressTag.COMPLETED]), ("removeTags", others)]
    assert Effect.objects.get(kind="set_progress_tag").written == {
        "tags": [ProgressTag.COMPLETED],
        "removed": others,
        "is_removal_known": False,
        "is_kept": True,
    }


def test_a_tag_that_lever_locks_names_itself_and_who_makes_it(scenario, sandbox, invitation):
    sandbox.lever_does("settings", tags_locked=True)
    enqueue_progress_tag(invitation, ProgressTag.INVITED)
    scenario.work()
    effect = scenario.latest_effect("set_progress_tag")
    assert effect.state == "failed"
    assert "a person with the permission Manage tags" in effect.last_error
    assert f"“{ProgressTag.INVITED}”" in effect.last_error
    [found] = check_failed_effects(scenario.organization)
    assert all(f"“{tag}”" in found.fix for tag in ProgressTag)
    sandbox.lever_does("tags", opportunities=[sandbox.opportunity_id("Birch")], add=[ProgressTag.INVITED])
    retry_effect(effect, "test")
    scenario.work()
    assert progress_tags(sandbox) == [ProgressTag.INVITED]
    assert not list(check_failed_effects(scenario.organization))


# the customer's own tag for a result


def test_a_regrade_replaces_the_result_tag_and_a_late_retry_of_the_former_sets_what_counts(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    scenario.completed_invitation(score=50, result="Failed")
    assert "test failed" in sandbox.candidate("Alder").tags
    scenario.candidate_does("regrade", score=80, result="Passed")
    for _ in range(2):
        assert "test passed" in sandbox.candidate("Alder").tags
        assert "test failed" not in sandbox.candidate("Alder").tags
        Effect.objects.filter(kind="set_result_tag", payload__tag="test failed").update(state="due")
        scenario.work_waiting()
