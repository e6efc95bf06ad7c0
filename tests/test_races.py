"""Two changes of one candidate at the same moment: each sees the other's rows as they are in the end, and none is lost.

The first one's transaction is open while the second one begins; PostgreSQL then has both at once, SQLite one after the
other.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.audit.models.entry import AuditEntry
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.payloads import Progress, WebhookHint
from integrations.core.vocabulary import ActionNotAllowed, ErasureCause, ProgressTag
from integrations.http.session import PlatformError
from integrations.invitations.acts import invitations
from integrations.invitations.acts.invitations import retry_effect
from integrations.invitations.models.invitation import Invitation
from integrations.lever.client import LeverClient
from integrations.outbox.kind import Outcome
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import apply_outcome
from integrations.privacy.erase import erase
from integrations.queue import worker
from integrations.results import poll
from integrations.store import database
from portal.devtools.sandbox.values import stable_id
from tests.outbox.kinds.test_tags import claimed_tag, progress_tags
from tests.privacy.traces import traces
from tests.support import factories
from tests.support.at_once import run_at_once, run_during_transaction
from tests.support.statements import taken_after_the_head

pytestmark = pytest.mark.django_db(transaction=True)

NAME, ADDRESS = "Candidate Alder", "alder@candidates.example"
PASSED = Progress("Complete", score=80, outcome="Passed", report_url="https://codescreen.example/report/1")
#: The order in which a transaction locks what it needs of these tables.
ORDER = ("organization", "invitation", "effect", "chainhead")
_LOCK = re.compile(
    r'^(?:UPDATE|DELETE FROM) "integrations_(\w+)"|FROM "integrations_(\w+)".* FOR (?:NO KEY )?UPDATE',
    re.DOTALL,
)

type Act = Callable[[], object]


class Answering(CodeScreenClient):
    """A CodeScreen that has answered already."""

    def __init__(self, answer: Progress) -> None:
        self.answer = answer

    def status(self, instance_id: str) -> Progress:
        return self.answer


def answered(invitation: Invitation, answer: Progress = PASSED) -> Act:
    """Return what records the answer to a poll of the invitation."""
    return partial(poll.refresh_progress, invitation, Answering(answer))


def forget(invitation: Invitation) -> None:
    erase(invitation.organization, invitation.opportunity_id, ErasureCause.FORGOTTEN, "test")


def in_both_orders(*acts: Act, is_reversed: bool) -> list[Exception]:
    return run_during_transaction(*reversed(acts) if is_reversed else acts)


def second_invitation(scenario, first: Invitation, **columns) -> Invitation:
    """Return an invitation of the same candidate to another assessment, which waits unless `columns` say else."""
    values = {"assessment_id": stable_id("acme", "assessment", "Frontend Developer"), "assessment_name": "F"}
    return scenario.pending_invitation(**values | columns)


both_orders = pytest.mark.parametrize("is_reversed", [False, True], ids=["first", "second"])


@both_orders
def test_nothing_personal_comes_back_when_a_result_is_recorded_beside_an_erasure(scenario, is_reversed):
    invitation = scenario.sent_invitation()
    acts = answered(invitation), partial(forget, invitation)
    assert in_both_orders(*acts, is_reversed=is_reversed) == []
    assert Invitation.objects.get().erased_at is not None
    assert traces(NAME, ADDRESS) == []
    waiting = Effect.objects.exclude(state__in=["done", "cancelled"])
    assert not waiting.exclude(kind="send_email").exists()
    assert waiting.filter(opportunity_id=invitation.opportunity_id).count() == 0
    assert invitation.results.count() == (0 if is_reversed else 1)


@both_orders
def test_two_changes_of_one_candidate_both_hold_and_the_tag_follows_both(scenario, super_admin, is_reversed):
    finished = scenario.sent_invitation()
    left = second_invitation(scenario, finished, status="invited", instance_id="i-2")
    acts = answered(finished), partial(invitations.cancel, left, super_admin)
    assert in_both_orders(*acts, is_reversed=is_reversed) == []
    assert [scenario.reread(one).status for one in (finished, left)] == ["completed", "withdrawn"]
    assert scenario.latest_effect("set_progress_tag").payload["tag"] == ProgressTag.COMPLETED


@both_orders
def test_a_sending_that_a_person_cancels_while_it_is_retried_stays_cancelled(
    scenario, super_admin, is_reversed
):
    invitation = scenario.pending_invitation()
    acts = (
        partial(invitations.cancel, invitation, super_admin),
        partial(retry_effect, scenario.latest_effect(), super_admin),
    )
    refused = in_both_orders(*acts, is_reversed=is_reversed)
    assert [type(error) for error in refused] == ([] if is_reversed else [ActionNotAllowed])
    assert scenario.latest_effect().state == "cancelled"
    assert scenario.reread(invitation).status == "withdrawn"


def test_many_changes_of_one_candidate_at_once_meet_in_no_deadlock(scenario, super_admin):
    sent = scenario.sent_invitation()
    waiting = second_invitation(scenario, sent)
    sending = scenario.latest_effect()
    hint = WebhookHint("candidate.submitted", sent.instance_id)
    acts = (
        partial(invitations.cancel, waiting, super_admin),
        partial(retry_effect, sending, super_admin),
        partial(poll.apply_hint, scenario.organization, hint),
        answered(sent),
    )
    raised = run_at_once(*acts, times=1)
    assert [error for error in raised if not isinstance(error, ActionNotAllowed)] == []
    assert scenario.reread(waiting).status == "withdrawn"
    assert scenario.reread(sent).status == "completed"


def past_its_time(scenario) -> tuple[Invitation, Act]:
    """Return an invitation that wasn't started in time, and the poll that finds it."""
    invitation = scenario.sent_invitation()
    Invitation.objects.update(followed_since=database.now() - timedelta(days=400))
    return invitation, answered(invitation, Progress("Not_Started"))


def out_of_its_stage(scenario) -> tuple[Invitation, Act]:
    """Return an invitation whose candidate left the stage before it is sent, and the step that finds it."""
    invitation = scenario.pending_invitation()
    Effect.objects.update(attempts=1)
    scenario.place(stage="Phone screen")
    effect = factories.claimed(Effect, "me")
    outcomes: list[Outcome] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("integrations.outbox.perform.apply_outcome", lambda *given: outcomes.append(given[1]))
        worker.perform_effect(effect)
    return invitation, partial(apply_outcome, effect, outcomes[0], None)


@both_orders
@pytest.mark.parametrize("ended", [past_its_time, out_of_its_stage], ids=lambda ended: ended.__name__)
def test_an_invitation_that_a_person_cancels_while_it_ends_has_one_end(
    scenario, super_admin, ended, is_reversed
):
    invitation, end = ended(scenario)
    acts = end, partial(invitations.cancel, invitation, super_admin)
    refused = in_both_orders(*acts, is_reversed=is_reversed)
    is_by_person = ended is past_its_time or is_reversed
    assert [type(error) for error in refused] == ([] if is_by_person else [ActionNotAllowed])
    stored = scenario.reread(invitation)
    assert (stored.status, stored.stopped_by_user, stored.following_ended) == ("withdrawn", is_by_person, "")
    assert stored.next_poll_at is None
    assert ("by a person" in stored.status_reason) is is_by_person
    assert AuditEntry.objects.filter(action="cancel_invitation").count() == int(is_by_person)
    notes = Effect.objects.filter(kind="leave_note", about=f"cancelled:{invitation.pk}")
    assert notes.count() == int(is_by_person)
    assert not Effect.objects.filter(kind="send_invitation", state="due").exists()


@pytest.mark.parametrize("fails", [False, True])
def test_a_result_that_is_recorded_while_a_tag_is_set_leaves_its_own_tag(
    scenario, sandbox, monkeypatch, fails
):
    scenario.pending_invitation()
    worker.perform_effect(factories.claimed(Effect, "me"))
    invitation = Invitation.objects.get()
    under_way, add_tags = claimed_tag(), LeverClient.add_tags

    def record_and_go_on(client, *given):
        answered(invitation)()
        if fails:
            raise PlatformError("lever answered 503", status=503)
        return add_tags(client, *given)

    with monkeypatch.context() as patch:
        patch.setattr(LeverClient, "add_tags", record_and_go_on)
        worker.perform_effect(under_way)
    for work in (scenario.work, scenario.work_waiting):  # the one that Lever failed waits for its retry
        work()
        assert progress_tags(sandbox) == [ProgressTag.COMPLETED]


# The order of locks.


def on_hold(scenario, word: str) -> Invitation:
    held = scenario.pending_invitation(word)
    Invitation.objects.filter(pk=held.pk).update(status="held")
    Effect.objects.filter(invitation=held).update(state="cancelled", due_at=None)
    return held


def uncertain(scenario, word: str) -> Invitation:
    invitation = scenario.pending_invitation(word)
    Invitation.objects.filter(pk=invitation.pk).update(status="uncertain", first_call_at=database.now())
    Effect.objects.filter(invitation=invitation).update(state="uncertain", due_at=None)
    return invitation


def acts_on_candidates(scenario, actor) -> Iterator[tuple[str, Act]]:
    """Yield what changes a candidate's rows, by name, each about a candidate of its own."""
    yield "approve", partial(invitations.approve, on_hold(scenario, "Hazel"), actor)
    yield "cancel", partial(invitations.cancel, scenario.pending_invitation("Rowan"), actor)
    yield "resolve", partial(invitations.resolve_as_sent, uncertain(scenario, "Linden"), "i-1", actor)
    yield "send again", partial(invitations.send_again, uncertain(scenario, "Aspen"), actor)
    sent = scenario.sent_invitation()
    yield "poll", answered(sent)
    yield "invite again", partial(invitations.invite_again, sent, actor)
    yield "erase", partial(forget, sent)
    scenario.set_policies(default_assessment="Backend")
    yield "decide and perform", partial(scenario.enter, "Tamarack")


def locked_tables(statements: Iterable[str]) -> Iterator[list[str]]:
    """Yield for each transaction the tables of ORDER, as they were locked first."""
    tables: list[str] = []
    for statement in [*statements, "COMMIT"]:
        if statement.startswith(("BEGIN", "COMMIT", "ROLLBACK;")):
            yield list(dict.fromkeys(tables))
            tables = []
        elif (found := _LOCK.search(statement)) and (name := found[1] or found[2]) in ORDER:
            tables.append(name)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks no rows")
def test_locks_are_taken_in_one_order(scenario, super_admin):
    for name, act in acts_on_candidates(scenario, super_admin):
        with CaptureQueriesContext(connection) as captured:
            act()
        statements = [str(query["sql"]) for query in captured.captured_queries]
        taken = list(locked_tables(statements))
        assert any(taken), name
        assert [tables for tables in taken if tables != sorted(tables, key=ORDER.index)] == [], name
        assert not list(taken_after_the_head(statements)), name
