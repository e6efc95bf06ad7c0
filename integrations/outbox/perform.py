"""Perform one claimed effect by its kind: its step, what errors mean, and the record of how it ended.

How long and how often an effect is retried stands in `http/steps.py`.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from integrations.clients import call_log
from integrations.clients.provider import ClientProvider
from integrations.core.rules.facts import Pause
from integrations.http.session import CallDeferred, NotConnected, PlatformError
from integrations.http.steps import (
    DISCONNECTED_RETRY,
    FIRST_RETRY,
    RETRY_FOR,
    Conflict,
    Crash,
    backoff,
    deferral,
    run_step,
    wait_after,
)
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.notify import notify_reconnect_needed
from integrations.organizations.models.organization import Organization
from integrations.outbox.kind import (
    Author,
    DecideOnRecording,
    Done,
    EffectKind,
    Ended,
    Failed,
    LeaseLost,
    Outcome,
    Retry,
    StartedAttempt,
    Target,
    Uncertain,
    replace_author,
)
from integrations.outbox.kinds.chat import SEND_ALERT
from integrations.outbox.kinds.email import SEND_EMAIL
from integrations.outbox.kinds.feedback import MAKE_TEMPLATE, WRITE_FEEDBACK
from integrations.outbox.kinds.invitation import SEND_INVITATION
from integrations.outbox.kinds.messages import ADD_REPORT_LINK, LEAVE_NOTE
from integrations.outbox.kinds.move_stage import MOVE_STAGE
from integrations.outbox.kinds.report_file import ATTACH_REPORT, REMOVE_REPORT
from integrations.outbox.kinds.tags import SET_PROGRESS_TAG, SET_RESULT_TAG
from integrations.outbox.models.effect import Effect
from integrations.store import database
from integrations.store.database import due_after, with_retry
from integrations.store.leasing import MAX_CONSECUTIVE_CRASHES, NO_OUTCOME

logger = logging.getLogger(__name__)

# All kinds of effects: who wants to know something of an effect by its kind asks here.


#: In the order in which a report counts what they did.
EFFECT_KINDS: Mapping[str, EffectKind[Any]] = {
    record.kind: record
    for record in (
        SEND_INVITATION,
        SET_PROGRESS_TAG,
        SET_RESULT_TAG,
        WRITE_FEEDBACK,
        ADD_REPORT_LINK,
        ATTACH_REPORT,
        REMOVE_REPORT,
        LEAVE_NOTE,
        MOVE_STAGE,
        MAKE_TEMPLATE,
        SEND_EMAIL,
        SEND_ALERT,
    )
}
#: The kinds that are messages to people.
MESSAGES = [kind for kind, record in EFFECT_KINDS.items() if record.tells_the_team]


def kind_of(effect: Effect) -> EffectKind[Any]:
    """Return the record of an effect's kind."""
    return EFFECT_KINDS[effect.kind]


def kinds_acting_on(target: str) -> list[str]:
    """Return the kinds that act on a Target or a Platform."""
    return [kind for kind, record in EFFECT_KINDS.items() if record.target == target]


# Perform one claimed effect. Nothing else finishes an effect, retries it or gives it back.


def perform(effect: Effect, clients: ClientProvider) -> None:
    """Perform a claimed effect and record how it ended; raises nothing for what a platform or a bug did."""
    earlier_attempt = effect.attempt_started_at
    name = f"effect {effect.pk} ({effect.kind})"
    result = run_step(name, lambda: apply_outcome(effect, _outcome(effect, clients), earlier_attempt))
    if isinstance(result, PlatformError):
        after_error = partial(_after_error, effect, clients, result)
        result = run_step(name, lambda: apply_outcome(effect, after_error(), earlier_attempt))
    if isinstance(result, Conflict):
        # a call that was made is known to the next attempt, as after a worker's death
        effect.release(due_at=Now() + backoff(effect.attempts), last_error=result.reason)
    if isinstance(result, Crash):
        _record_crash(effect, result)


def _outcome(effect: Effect, clients: ClientProvider) -> Outcome:
    if effect.is_poison:
        return kind_of(effect).give_up(effect, NO_OUTCOME.format(count=MAX_CONSECUTIVE_CRASHES))
    kind = kind_of(effect)
    pause = _pause_of(effect, kind)
    if pause is not None and not kind.goes_on_in_a_pause(effect):
        return _defer(pause.reason)
    return kind.perform(effect, clients)


def _pause_of(effect: Effect, kind: EffectKind[Any]) -> Pause | None:
    """Return the pause that holds an effect up. The team is told of another integration, which only they can end."""
    pause = effect.organization.pause
    tells_team = kind.target in {Target.EMAIL, Target.CHAT}
    return None if tells_team and pause is Pause.OTHER_INTEGRATION else pause


def _defer(reason: str, wait: timedelta = DISCONNECTED_RETRY) -> Retry:
    """Return a retry for an effect that a person holds up; its retry window starts again."""
    return Retry(reason, wait, is_counted=False, restarts_window=True)


def _after_error(effect: Effect, clients: ClientProvider, error: PlatformError) -> Retry | Uncertain | Failed:
    """Return how a platform's error ends the try; may ask Lever whether the author of the write has left."""
    author = kind_of(effect).author
    # as Lever refuses one who has left the account
    if error.status in {400, 403} and author is not Author.NOBODY:
        try:
            if replace_author(effect, clients, author):
                return Retry(str(error), FIRST_RETRY, is_counted=False)
        except PlatformError as failure:
            if not failure.permanent or failure.status in {None, 401}:
                return outcome_of_error(effect, failure)  # whether the author has left is still unknown
    return outcome_of_error(effect, error)


def outcome_of_error(effect: Effect, error: PlatformError) -> Retry | Uncertain | Failed:
    """Return how a platform's error ends the try: retried while that can help, failed when it can't."""
    if isinstance(error, CallDeferred):
        return Retry(effect.last_error, deferral(error), is_counted=False)
    if isinstance(error, NotConnected) or error.status == 401:
        organization = Organization.objects.with_connections().get(pk=effect.organization_id)
        notify_reconnect_needed(organization)
        # a new connection makes waiting effects due, but this one was being performed then
        is_back = not organization.disconnected_reason
        return _defer(str(error), FIRST_RETRY if is_back else DISCONNECTED_RETRY)
    if error.permanent or database.now() - effect.trying_since > RETRY_FOR:
        return kind_of(effect).give_up(effect, str(error))
    started = StartedAttempt.CURRENT if error.ambiguous else StartedAttempt.EARLIER
    return Retry(str(error), wait_after(error, effect.attempts), started)


def _record_crash(effect: Effect, crash: Crash) -> None:
    """Retry after a crash a bounded number of times, then stop and show where it came from."""
    if effect.consecutive_crashes >= MAX_CONSECUTIVE_CRASHES:
        effect.fenced().update(traceback=crash.traceback)
        apply_outcome(effect, kind_of(effect).give_up(effect, crash.reason), effect.attempt_started_at)
        return
    effect.release(
        due_at=Now() + backoff(effect.consecutive_crashes),
        last_error=crash.reason,
        traceback=crash.traceback,
        consecutive_crashes=effect.consecutive_crashes,
    )


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
        case Ended(reason, also):
            if also is not None and effect.opportunity_id:
                Invitation.objects.lock_all_of(effect.organization_id, effect.opportunity_id)
            if effect.finish(outcome.state, reason) and also is not None:
                also()
        case Retry():
            started = {
                StartedAttempt.NONE: None,
                StartedAttempt.EARLIER: earlier_attempt,
                StartedAttempt.CURRENT: effect.attempt_started_at,
            }[outcome.started_attempt]
            effect.release(
                due_at=due_after(outcome.wait),
                last_error=outcome.reason,
                attempt_started_at=started,
                attempts=F("attempts") if outcome.is_counted else F("attempts") - 1,
                retry_window_started_at=(
                    due_after(outcome.wait) if outcome.restarts_window else F("retry_window_started_at")
                ),
            )
        case DecideOnRecording(decide):
            _write(effect, decide(), earlier_attempt)
        case LeaseLost():
            pass
