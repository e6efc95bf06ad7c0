"""A step that a deadlock ended is done again soon: it counts as no crash, and nobody calls it an outage."""

from datetime import timedelta

import psycopg
import pytest
from django.db.models.functions import Now

from integrations.catalog.models import Stage
from integrations.effects import perform
from integrations.inbox import handle_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.outbox.models import Effect
from integrations.outbox.outcome import SHORTEST_WAIT
from integrations.queue import duties, worker
from integrations.queue.models.duty_run import NO_PROGRESS_RETRY, Duty, DutyRun
from integrations.results import poll
from integrations.store import database
from tests.store.test_database import WriteDuringRestart, conflicting
from tests.support import factories
from tests.support.at_once import run_at_once

ALDER = "alder@candidates.example"
pytestmark = pytest.mark.django_db(transaction=True)


def meeting_a_deadlock(step) -> WriteDuringRestart:
    """Return the step, which a deadlock ends the first time."""
    return WriteDuringRestart(step, [conflicting(psycopg.errors.DeadlockDetected)])


def test_a_delivery_is_decided_a_moment_later(scenario, monkeypatch, caplog):
    delivery = factories.DeliveryFactory(organization=scenario.organization, event="other")
    monkeypatch.setattr(handle_delivery, "_handle", meeting_a_deadlock(handle_delivery._handle))
    assert scenario.work() == 1  # not again and again while the other transaction goes on
    Delivery.objects.update(due_at=Now())
    scenario.work()
    delivery.refresh_from_db()
    assert delivery.verdict
    assert (delivery.attempts, delivery.consecutive_crashes) == (2, 0)
    assert "a deadlock with another transaction" in caplog.text
    assert "went away" not in caplog.text


def test_an_invitation_is_sent_once_whose_step_met_a_deadlock_before_the_call(scenario, sandbox, monkeypatch):
    monkeypatch.setattr(perform, "_outcome", meeting_a_deadlock(perform._outcome))
    invitation = scenario.pending_invitation()
    assert scenario.work() == 1
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert scenario.latest_effect().consecutive_crashes == 0


@pytest.mark.parametrize("row", ["delivery", "effect"])
def test_the_wait_grows_with_each_conflict(scenario, monkeypatch, row):
    if row == "delivery":
        factories.DeliveryFactory(organization=scenario.organization, event="other", attempts=8)
        monkeypatch.setattr(handle_delivery, "_handle", meeting_a_deadlock(handle_delivery._handle))
    else:
        scenario.pending_invitation()
        Effect.objects.update(attempts=8)
        monkeypatch.setattr(perform, "_outcome", meeting_a_deadlock(perform._outcome))
    assert scenario.work() == 1
    met = (Delivery if row == "delivery" else Effect).objects.get(last_error__startswith="It met a deadlock")
    assert met.due_at is not None
    assert met.due_at - database.now() > timedelta(minutes=5)


def test_an_invitation_is_polled_a_moment_later(scenario, monkeypatch):
    invitation = scenario.pending_invitation()
    scenario.work()
    monkeypatch.setattr(poll, "refresh_progress", meeting_a_deadlock(poll.refresh_progress))
    invitation = scenario.reread(invitation)
    assert worker.poll_invitation(invitation) is poll.PollOutcome.POSTPONED
    assert not type(invitation).objects.due_for_poll().exists()
    stored = scenario.reread(invitation)
    assert stored.next_poll_at <= database.now() + SHORTEST_WAIT
    assert stored.poll_failures == invitation.poll_failures


@pytest.mark.parametrize("has_got_on", [True, False])
def test_a_duty_is_done_later_and_has_failed_unless_it_got_on(organization, monkeypatch, has_got_on):
    def step(_, budget):
        if has_got_on:
            budget.part_done({"page": 2})
        raise conflicting(psycopg.errors.LockNotAvailable)

    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(step))
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    assert worker.perform_duties() == 1  # not again and again while the other transaction goes on
    run = DutyRun.objects.get()
    assert run.failures == (0 if has_got_on else 1)
    assert run.place == ({"page": 2} if has_got_on else {})
    assert run.last_error == "It met a lock time-out with another transaction."
    wait = SHORTEST_WAIT if has_got_on else NO_PROGRESS_RETRY
    assert run.due_at is not None
    assert timedelta(0) < run.due_at - database.now() <= wait


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
