"""A step that a deadlock ended is done again soon, and counts as no crash; a deletion that never ends does."""

from datetime import timedelta
from typing import NoReturn

import psycopg
import pytest
from django.db import IntegrityError
from django.db.models.functions import Now

from integrations.catalog.models import Stage
from integrations.http.steps import SHORTEST_WAIT
from integrations.inbox import decide_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.outbox import perform
from integrations.outbox.models.effect import Effect
from integrations.queue import duties, worker
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.results import poll
from integrations.store import database
from integrations.store.leasing import MAX_CONSECUTIVE_CRASHES
from tests.store.test_database import WriteDuringRestart, conflicting
from tests.support import factories
from tests.support.at_once import run_at_once

ALDER = "alder@candidates.example"
pytestmark = pytest.mark.django_db(transaction=True)


def meeting_a_deadlock(step) -> WriteDuringRestart:
    """Return the step, which a deadlock ends the first time."""
    return WriteDuringRestart(step, [conflicting(psycopg.errors.DeadlockDetected)])


def test_a_delivery_is_decided_a_moment_later(scenario, monkeypatch, caplog):
    delivery = factories.DeliveryFactory(organization=scenario.organization, event="other", attempts=8)
    monkeypatch.setattr(decide_delivery, "_handle", meeting_a_deadlock(decide_delivery._handle))
    assert scenario.work() == 1  # not again and again while the other transaction goes on
    delivery.refresh_from_db()
    assert delivery.due_at - database.now() > timedelta(minutes=5)  # the wait grows with each attempt
    Delivery.objects.update(due_at=Now())
    scenario.work()
    delivery.refresh_from_db()
    assert delivery.verdict
    assert (delivery.attempts, delivery.consecutive_crashes) == (10, 0)
    assert "a deadlock with another transaction" in caplog.text
    assert "went away" not in caplog.text


def test_an_invitation_is_sent_once_whose_step_met_a_deadlock_before_the_call(scenario, sandbox, monkeypatch):
    monkeypatch.setattr(perform, "_outcome", meeting_a_deadlock(perform._outcome))
    invitation = scenario.pending_invitation()
    Effect.objects.update(attempts=8)
    assert scenario.work() == 1
    assert scenario.latest_effect().due_at - database.now() > timedelta(minutes=5)
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert scenario.latest_effect().consecutive_crashes == 0


def test_an_invitation_is_polled_a_moment_later(scenario, monkeypatch):
    invitation = scenario.sent_invitation()
    monkeypatch.setattr(poll, "refresh_progress", meeting_a_deadlock(poll.refresh_progress))
    assert worker.poll_invitation(invitation) is poll.PollOutcome.POSTPONED
    assert not type(invitation).objects.due_for_poll().exists()
    stored = scenario.reread(invitation)
    assert stored.next_poll_at <= database.now() + SHORTEST_WAIT
    assert stored.poll_failures == invitation.poll_failures


def test_a_duty_is_done_later_after_a_conflict(organization, monkeypatch):
    def turn(*_):
        raise conflicting(psycopg.errors.LockNotAvailable)

    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(turn))
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP, place={"page": 2})
    assert worker.perform_duties() == 1  # not again and again while the other transaction goes on
    run = DutyRun.objects.get()
    assert (run.failures, run.place) == (0, {"page": 2})
    assert run.last_error == "It met a lock time-out with another transaction."
    assert run.due_at is not None
    assert timedelta(0) < run.due_at - database.now() <= SHORTEST_WAIT


def test_refreshes_of_a_changed_list_at_once_do_not_wait_for_each_other(organization):
    names = [f"stage-{number}" for number in range(40)]
    Stage.objects.replace_all(organization, {name: {"name": name, "position": 0} for name in names})
    turns = iter(range(1, 1000))

    def refresh() -> None:
        for _ in range(5):
            turn = next(turns)
            listed = names[turn % 2 :: 2] if turn % 3 else names
            Stage.objects.replace_all(
                organization, {name: {"name": name, "position": turn} for name in reversed(listed)}
            )

    assert run_at_once(refresh) == []


def meet_a_deletion(*_: object) -> NoReturn:
    """Raise what PostgreSQL says, each time, of a row that refers to one that is gone."""
    raise IntegrityError("violates foreign key constraint") from psycopg.errors.ForeignKeyViolation()


def test_a_delivery_whose_deletion_never_ends_becomes_stuck(scenario, monkeypatch):
    delivery = factories.DeliveryFactory(organization=scenario.organization, event="other")
    monkeypatch.setattr(decide_delivery, "_handle", meet_a_deletion)
    for _ in range(MAX_CONSECUTIVE_CRASHES):
        delivery.refresh_from_db()
        assert not delivery.is_stuck
        Delivery.objects.update(due_at=Now())
        scenario.work()
    delivery.refresh_from_db()
    assert (delivery.is_stuck, delivery.last_error) == (True, "It met a deletion with another transaction.")
    assert "meet_a_deletion" in delivery.traceback
