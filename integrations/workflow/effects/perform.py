"""Perform one claimed effect: choose its step, and turn errors into outcomes."""

import logging
from datetime import timedelta
from functools import partial

from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.http.errors import CallDeferred, NotConnected, PlatformError
from integrations.models import Effect, Organization, db_clock
from integrations.models.invitation_status import Status
from integrations.models.leasing import MAX_CONSECUTIVE_CRASHES, NO_OUTCOME
from integrations.workflow.effects.apply_outcome import apply_outcome
from integrations.workflow.effects.attach_report import attach_report
from integrations.workflow.effects.author import replace_author
from integrations.workflow.effects.feedback import write_feedback
from integrations.workflow.effects.feedback_template import make_template
from integrations.workflow.effects.invitation_endings import give_up
from integrations.workflow.effects.move_stage import move_stage
from integrations.workflow.effects.note import leave_note
from integrations.workflow.effects.progress_tag import set_progress_tag
from integrations.workflow.effects.remove_report import remove_report
from integrations.workflow.effects.report_link import add_report_link
from integrations.workflow.effects.result_tag import set_result_tag
from integrations.workflow.effects.send_invitation import send_invitation
from integrations.workflow.email.alerts.sending import give_up_alert, send_alert
from integrations.workflow.email.connection_notices import notify_reconnect_needed
from integrations.workflow.email.sending import is_about_signing_in, send_email
from integrations.workflow.outbox.outcome import Failed, Outcome, Retry, StartedAttempt, Uncertain
from integrations.workflow.outbox.retry_policy import (
    DISCONNECTED_RETRY,
    FIRST_RETRY,
    RETRY_FOR,
    SHORTEST_WAIT,
    backoff,
    deferral,
    wait_after,
)
from integrations.workflow.outbox.run_step import Conflict, Crash, run_step

logger = logging.getLogger(__name__)

Kind = Effect.Kind
#: Lever refuses these when their author has left the account.
WRITTEN_AS_A_USER = frozenset(
    {
        Kind.SET_PROGRESS_TAG,
        Kind.SET_RESULT_TAG,
        Kind.MOVE_STAGE,
        Kind.ADD_REPORT_LINK,
        Kind.ATTACH_REPORT,
        Kind.REMOVE_REPORT,
        Kind.LEAVE_NOTE,
        Kind.WRITE_FEEDBACK,
    }
)


def perform(effect: Effect, clients: ClientProvider) -> None:
    """Perform a claimed effect and record how it ended; raises nothing for what a platform or a bug did."""
    earlier_attempt = effect.attempt_started_at
    result = run_step(lambda: apply_outcome(effect, _outcome(effect, clients), earlier_attempt))
    if isinstance(result, PlatformError):
        after_error = partial(_after_error, effect, clients, result)
        result = run_step(lambda: apply_outcome(effect, after_error(), earlier_attempt))
    if isinstance(result, Conflict):
        # a call that was made is known to the next attempt, as after a worker's death
        effect.release(due_at=Now() + SHORTEST_WAIT)
    if isinstance(result, Crash):
        logger.error("effect %s (%s) crashed\n%s", effect.pk, effect.kind, result.traceback)
        _record_crash(effect, result)


def _outcome(effect: Effect, clients: ClientProvider) -> Outcome:
    if effect.is_poison:
        return _give_up(effect, NO_OUTCOME.format(count=MAX_CONSECUTIVE_CRASHES))
    if effect.organization.paused and not _goes_on_in_a_pause(effect):
        return _defer("The portal is paused.")
    return _perform(effect, clients)


def _perform(effect: Effect, clients: ClientProvider) -> Outcome:
    match Kind(effect.kind):
        case Kind.SEND_INVITATION:
            return send_invitation(effect, clients)
        case Kind.SET_PROGRESS_TAG:
            return set_progress_tag(effect, clients)
        case Kind.SET_RESULT_TAG:
            return set_result_tag(effect, clients)
        case Kind.MOVE_STAGE:
            return move_stage(effect, clients)
        case Kind.ADD_REPORT_LINK:
            return add_report_link(effect, clients)
        case Kind.ATTACH_REPORT | Kind.REMOVE_REPORT:
            step = attach_report if effect.kind == Kind.ATTACH_REPORT else remove_report
            return step(effect, clients)
        case Kind.LEAVE_NOTE:
            return leave_note(effect, clients)
        case Kind.MAKE_TEMPLATE:
            return make_template(effect, clients)
        case Kind.WRITE_FEEDBACK:
            return write_feedback(effect, clients)
        case Kind.SEND_EMAIL:
            return send_email(effect)
        case Kind.SEND_ALERT:
            return send_alert(effect)


def _goes_on_in_a_pause(effect: Effect) -> bool:
    """Whether a pause doesn't hold the effect back: it may have acted, is about signing in, or erases a person."""
    erases = (
        effect.kind == Kind.REMOVE_REPORT and effect.invitation is not None and effect.invitation.erased_at
    )
    return bool(erases) or _has_started(effect) or is_about_signing_in(effect)


def _has_started(effect: Effect) -> bool:
    """Whether a call may have been made already: a pause doesn't block reconciling it."""
    if effect.kind == Kind.SEND_INVITATION and effect.invitation is not None:
        # reverted to pending: the call was refused, but the worker was killed before it cleared the attempt
        return effect.attempt_started_at is not None and effect.invitation.status != Status.PENDING
    return effect.attempt_started_at is not None


def _defer(reason: str, wait: timedelta = DISCONNECTED_RETRY) -> Retry:
    """Return a retry for an effect that a person holds up; its retry window starts again."""
    return Retry(reason, wait, is_counted=False, restarts_window=True)


def _after_error(effect: Effect, clients: ClientProvider, error: PlatformError) -> Retry | Uncertain | Failed:
    """Return how a platform's error ends the try; may ask Lever whether the author of the write has left."""
    if error.status in {400, 403} and effect.kind in WRITTEN_AS_A_USER:
        try:
            if replace_author(effect, clients):
                return Retry(str(error), FIRST_RETRY, is_counted=False)
        except PlatformError as failure:
            if _is_temporary(failure):
                return outcome_of_error(effect, failure)  # whether the author has left is still unknown
    return outcome_of_error(effect, error)


def _is_temporary(error: PlatformError) -> bool:
    return not error.permanent or error.status in {None, 401}


def outcome_of_error(effect: Effect, error: PlatformError) -> Retry | Uncertain | Failed:
    """Return how a platform's error ends the try: retried while that can help, failed when it can't."""
    if isinstance(error, CallDeferred):
        return Retry(effect.last_error, deferral(error), is_counted=False)
    if isinstance(error, NotConnected) or error.status == 401:
        return _wait_for_connection(effect, error)
    if error.permanent or db_clock.now() - effect.trying_since > RETRY_FOR:
        return _give_up(effect, str(error))
    started = StartedAttempt.CURRENT if error.ambiguous else StartedAttempt.EARLIER
    return Retry(str(error), wait_after(error, effect.attempts), started)


def _wait_for_connection(effect: Effect, error: PlatformError) -> Retry:
    organization = Organization.objects.with_connections().get(pk=effect.organization_id)
    notify_reconnect_needed(organization)
    # a new connection makes waiting effects due, but this one was being performed then
    is_back = not organization.disconnected_reason
    return _defer(str(error), FIRST_RETRY if is_back else DISCONNECTED_RETRY)


def _give_up(effect: Effect, reason: str) -> Uncertain | Failed:
    match effect.kind:
        case Kind.SEND_INVITATION:
            return give_up(effect, reason)
        case Kind.SEND_ALERT:
            return give_up_alert(effect, reason)
    return Failed(reason)


def _record_crash(effect: Effect, crash: Crash) -> None:
    """Retry after a bug a bounded number of times, then stop and show where it came from."""
    if effect.consecutive_crashes >= MAX_CONSECUTIVE_CRASHES:
        effect.fenced().update(traceback=crash.traceback)
        apply_outcome(effect, _give_up(effect, crash.reason), effect.attempt_started_at)
        return
    effect.release(
        due_at=Now() + backoff(effect.consecutive_crashes),
        last_error=crash.reason,
        traceback=crash.traceback,
        consecutive_crashes=effect.consecutive_crashes,
    )
