"""Record how a try at an effect ended: the only place that finishes, retries or gives back an effect."""

from datetime import datetime
from functools import partial

from django.db.models import F
from django.db.models.functions import Now

from integrations.clients import call_log
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
    """Record the outcome and the step's calls in one transaction, retried while the database restarts.

    `earlier_attempt` is when an earlier try started a call whose outcome isn't known; None if none did.
    """
    with_retry(partial(_record, effect, outcome, earlier_attempt))


def _record(effect: Effect, outcome: Outcome, earlier_attempt: datetime | None) -> None:
    with call_log.recorded():
        _write(effect, outcome, earlier_attempt)


def _write(effect: Effect, outcome: Outcome, earlier_attempt: datetime | None) -> None:
    match outcome:
        case Done(unwritten, record, written):
            if record is not None:
                record()
            effect.finish(written=written.to_json() if written else None, end_reason=unwritten or "")
        case Cancelled(reason, also):
            _finish(effect, State.CANCELLED, reason, also)
        case Failed(reason, also):
            _finish(effect, State.FAILED, reason, also)
        case Uncertain(reason, also):
            _finish(effect, State.UNCERTAIN, reason, also)
        case Retry():
            _retry(effect, outcome, earlier_attempt)
        case DecideOnRecording(decide):
            _write(effect, decide(), earlier_attempt)
        case LeaseLost():
            pass


def _finish(effect: Effect, state: str, reason: str, also: Writes | None) -> None:
    if effect.finish(state, reason) and also is not None:
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
