"""Record how a try at an effect ended: the only place that finishes, retries or gives back an effect."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from integrations.models import Effect
from integrations.models.db_retry import with_retry
from integrations.workflow.outbox.outcome import (
    Cancelled,
    DecideOnRecording,
    Done,
    Failed,
    LeaseLost,
    Outcome,
    Retry,
    StartedAttempt,
    Uncertain,
    Writes,
)

State = Effect.State


def apply_outcome(effect: Effect, outcome: Outcome, earlier_attempt: datetime | None) -> None:
    """Record the outcome in one transaction, retried while the database restarts: the platform's answer comes once.

    `earlier_attempt` is when an earlier try started a call whose outcome isn't known; None if none did.
    """
    with_retry(partial(_record, effect, outcome, earlier_attempt))


def _record(effect: Effect, outcome: Outcome, earlier_attempt: datetime | None) -> None:
    match outcome:
        case Done(note, record):
            _record_done(effect, note, record)
        case Cancelled(reason, also):
            _finish(effect, State.CANCELLED, reason, also)
        case Failed(reason, also):
            _finish(effect, State.FAILED, reason, also)
        case Uncertain(reason, also):
            _finish(effect, State.UNCERTAIN, reason, also)
        case Retry():
            _retry(effect, outcome, earlier_attempt)
        case DecideOnRecording(decide):
            with transaction.atomic():
                _record(effect, decide(), earlier_attempt)
        case LeaseLost():
            pass


def _record_done(effect: Effect, note: str, record: Writes | None) -> None:
    if record is None:
        effect.finish(State.DONE, note)
        return
    with transaction.atomic():
        record()
        effect.finish(State.DONE, note)


def _finish(effect: Effect, state: str, reason: str, also: Writes | None) -> None:
    if also is None:
        effect.finish(state, reason)
        return
    with transaction.atomic():
        if effect.finish(state, reason):
            also()


def _retry(effect: Effect, retry: Retry, earlier_attempt: datetime | None) -> None:
    started = {
        StartedAttempt.NONE: None,
        StartedAttempt.EARLIER: earlier_attempt,
        StartedAttempt.CURRENT: effect.attempt_started_at,
    }[retry.started_attempt]
    effect.release(
        due_at=Now() + retry.wait,
        last_error=retry.reason,
        attempt_started_at=started,
        attempts=F("attempts") if retry.is_counted else F("attempts") - 1,
        retry_window_started_at=Now() if retry.restarts_window else F("retry_window_started_at"),
    )
