"""The outbox road: perform one claimed effect, and settle how it went."""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.http.errors import CallDeferred, NotConnected, PlatformError
from integrations.models import Effect, Organization, db_clock
from integrations.models.invitation import Status
from integrations.models.leasing import MAX_CONSECUTIVE_CRASHES, NO_OUTCOME, masked_traceback
from integrations.workflow.effects import feedback, lever_writes, move_stage, send_invitation
from integrations.workflow.email import connection_notices, sending

logger = logging.getLogger(__name__)

FIRST_RETRY = timedelta(seconds=3)
LONGEST_RETRY = timedelta(hours=1)
RETRY_FOR = timedelta(hours=96)
DISCONNECTED_RETRY = timedelta(minutes=10)
WRITTEN_AS_A_USER = frozenset(
    {
        Effect.Kind.SET_PROGRESS_TAG,
        Effect.Kind.SET_RESULT_TAG,
        Effect.Kind.MOVE_STAGE,
        Effect.Kind.ADD_REPORT_LINK,
        Effect.Kind.LEAVE_NOTE,
        Effect.Kind.WRITE_FEEDBACK,
    }
)

#: One small function per kind. Each returns when the effect is done, and raises PlatformError otherwise.
PERFORM: dict[str, Callable[[Effect, ClientProvider], None]] = {
    Effect.Kind.SEND_INVITATION: send_invitation.send_invitation,
    Effect.Kind.SET_PROGRESS_TAG: lever_writes.set_progress_tag,
    Effect.Kind.SET_RESULT_TAG: lever_writes.set_result_tag,
    Effect.Kind.MOVE_STAGE: move_stage.move_stage,
    Effect.Kind.ADD_REPORT_LINK: lever_writes.add_report_link,
    Effect.Kind.LEAVE_NOTE: lever_writes.leave_note,
    Effect.Kind.MAKE_TEMPLATE: feedback.make_template,
    Effect.Kind.WRITE_FEEDBACK: feedback.write_feedback,
    Effect.Kind.SEND_EMAIL: sending.send_email,
}


def perform(effect: Effect, clients: ClientProvider) -> None:
    """Perform a claimed effect and record the outcome; never raises for what a platform or a bug did."""
    known = effect.attempt_started_at  # of an earlier try whose outcome nobody knows
    try:
        if effect.is_poison:
            _give_up(effect, NO_OUTCOME.format(count=MAX_CONSECUTIVE_CRASHES))
            return
        if effect.organization.paused and not (_has_started(effect) or sending.is_about_signing_in(effect)):
            _defer(effect, "The organization is paused.", known)
            return
        PERFORM[effect.kind](effect, clients)
        effect.finish()
    except send_invitation.Settled:
        pass  # it has recorded its own outcome
    except feedback.Waits as wait:
        _give_back(effect, wait.seconds, str(wait), known)
    except CallDeferred as error:
        _give_back(effect, timedelta(seconds=error.retry_after or 1), effect.last_error, known)
    except PlatformError as error:
        _settle_refused(effect, clients, error, known)
    except (OperationalError, InterfaceError):
        raise  # the lease ends by itself, and another worker finishes it when the database is back
    except Exception as error:  # noqa: BLE001 - a bug on one row must not stop the others
        # the message may quote personal data: the log gets where it came from, as the row does
        logger.error("effect %s (%s) crashed\n%s", effect.pk, effect.kind, masked_traceback(error))
        _record_crash(effect, error)


def _has_started(effect: Effect) -> bool:
    """Whether a call may have been made already: a pause doesn't keep what became of it from being found out."""
    if effect.kind == Effect.Kind.SEND_INVITATION and effect.invitation is not None:
        # pending again: it certainly didn't arrive, though its worker was killed before it took the intent back
        return effect.attempt_started_at is not None and effect.invitation.status != Status.PENDING
    return effect.attempt_started_at is not None


def _give_back(effect: Effect, wait: timedelta, reason: str, known: datetime | None, **changes: Any) -> None:
    """Return an effect that wasn't tried; the attempt doesn't count."""
    effect.retry(
        wait, reason, keep_attempt=True, attempt_started_at=known, attempts=F("attempts") - 1, **changes
    )


def _defer(effect: Effect, reason: str, known: datetime | None, wait: timedelta = DISCONNECTED_RETRY) -> None:
    """Return an effect that a person keeps from being tried: how long it is tried counts from when it can be."""
    _give_back(effect, wait, reason, known, retry_window_started_at=Now())


def _record_crash(effect: Effect, error: Exception) -> None:
    """A bug or a poison row: bounded tries, then it stops and shows where."""
    text = f"The portal failed on this: {type(error).__name__}."
    if effect.consecutive_crashes >= MAX_CONSECUTIVE_CRASHES:
        effect.fenced().update(traceback=masked_traceback(error))
        _give_up(effect, text)
        return
    effect.retry(
        backoff(effect.consecutive_crashes),
        text,
        keep_attempt=True,
        traceback=masked_traceback(error),
        consecutive_crashes=effect.consecutive_crashes,
    )


def _settle_refused(
    effect: Effect, clients: ClientProvider, error: PlatformError, known: datetime | None
) -> None:
    """Record a platform's no; a write that is refused because its author has left Lever is tried with another one."""
    if error.status in {400, 403} and effect.kind in WRITTEN_AS_A_USER:
        try:
            if feedback.replace_author(effect, clients):
                _give_back(effect, FIRST_RETRY, str(error), known)
                return
        except PlatformError as failure:
            if not failure.permanent or failure.status in {None, 401}:  # to be asked later: no final no yet
                apply_error(effect, failure, known)
                return
    apply_error(effect, error, known)


def _give_up(effect: Effect, reason: str) -> None:
    if effect.kind != Effect.Kind.SEND_INVITATION:
        effect.finish(Effect.State.FAILED, reason)
        return
    try:
        send_invitation.give_up(effect, reason)
    except send_invitation.Settled:
        pass  # the invitation says how it ended


def backoff(attempts: int) -> timedelta:
    """Return the wait after this many attempts: exponential from seconds to an hour, with jitter."""
    wait: timedelta = min(FIRST_RETRY * 2.0 ** min(attempts - 1, 12), LONGEST_RETRY)
    return wait * random.uniform(0.7, 1.3)  # noqa: S311


def apply_error(effect: Effect, error: PlatformError, known: datetime | None = None) -> None:
    """Record a platform's no: retried with backoff while there is hope, failed when there is none.

    `known` is the intent of an earlier try: that this try didn't arrive says nothing about the earlier one.
    """
    if isinstance(error, NotConnected) or error.status == 401:
        organization = Organization.objects.with_connections().get(pk=effect.organization_id)
        # connecting anew wakes what waits at that moment, and this effect was on its way then
        is_back = not organization.disconnected_reason
        _defer(effect, str(error), known, FIRST_RETRY if is_back else DISCONNECTED_RETRY)
        connection_notices.notify_reconnect_needed(organization)
        return
    is_hopeless = error.permanent or db_clock.now() - effect.trying_since > RETRY_FOR
    if is_hopeless:
        _give_up(effect, str(error))
        return
    wait = backoff(effect.attempts)
    if error.retry_after is not None:
        wait = max(timedelta(seconds=error.retry_after), timedelta(seconds=1))
    intent = effect.attempt_started_at if error.ambiguous else known
    effect.retry(wait, str(error), keep_attempt=True, attempt_started_at=intent)


def requeue(organization: Organization) -> int:
    """Make effects that wait for a connection due now; how many."""
    with transaction.atomic():
        waiting = Effect.objects.filter(organization=organization, state=Effect.State.DUE, due_at__gt=Now())
        return waiting.update(due_at=Now())
