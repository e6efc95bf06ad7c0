"""The worker: claim one due row or duty after another and hand it to its step with the clients it needs."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from integrations import correlation, stop_signal
from integrations.clients import call_log, call_window
from integrations.clients.context import CallContext
from integrations.clients.provider import clients_for
from integrations.models import Delivery, DutyRun, Effect, Heartbeat, Invitation, Organization
from integrations.queue.duties import perform_duty
from integrations.queue.liveness import has_due
from integrations.workflow.effects.perform import perform
from integrations.workflow.inbox.handle_delivery import handle_delivery
from integrations.workflow.results.poll import PollOutcome, poll
from integrations.workflow.results.poll_schedule import claim_poll

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 20.0
CHECK_SECONDS = 0.05  # how often drain() checks whether another thread is needed
CHECK_DUTIES_SECONDS = 0.5
BEAT_SECONDS = 1.0
#: After a drain's time is up, the steps that it has begun may begin calls for this long. They end well before
#: django-q2 kills a worker for taking too long, which would leave a call's outcome unknown.
LAST_CALLS_SECONDS = 60.0
#: The same for duties: until the last of them has ended, the drain goes on with the rows of candidates.
LAST_CALLS_OF_DUTIES_SECONDS = 40.0
#: How long a thread takes up rows while the drain only waits for its duties.
SHORT_SECONDS = 5.0

Step = Callable[[], object]


# draining: any number of threads and processes at once


def drain(seconds: float = DRAIN_SECONDS) -> None:
    """Work every due row and duty until nothing is due, the time is up or a stop is requested.

    Any number may run at once. What was begun is ended before this returns. While rows of candidates wait for a
    thread, a single thread performs duties.
    """
    deadline = time.monotonic() + seconds
    row_threads: list[threading.Thread] = []
    duty_threads: list[threading.Thread] = []
    rows_wait = threading.Event()
    check_duties_at = beat_at = 0.0
    try:
        while not stop_signal.is_requested():
            now = time.monotonic()
            if now - beat_at >= BEAT_SECONDS:
                Heartbeat.beat()
                beat_at = now
            row_threads, duty_threads = _alive(row_threads), _alive(duty_threads)
            if now >= deadline and not duty_threads:
                break
            is_due = has_due()
            is_duty_due = False
            if check_duties_at <= now < deadline:
                is_duty_due = DutyRun.objects.due().exists()
                check_duties_at = now + CHECK_DUTIES_SECONDS
            if not (is_due or is_duty_due or row_threads or duty_threads):
                return
            if is_due and len(row_threads) < settings.DRAIN_THREADS:
                row_threads.append(_started(_work_in_thread, max(deadline, now + SHORT_SECONDS)))
                rows_wait.clear()
            elif is_due:
                rows_wait.set()
            else:
                rows_wait.clear()
            if is_duty_due and len(duty_threads) < (1 if rows_wait.is_set() else settings.DUTY_THREADS):
                yields_to = None if not duty_threads else rows_wait
                duty_threads.append(_started(_perform_duties_in_thread, deadline, yields_to))
            stop_signal.wait(CHECK_SECONDS)
    finally:
        for thread in (*row_threads, *duty_threads):
            while thread.is_alive():
                thread.join(BEAT_SECONDS)
                Heartbeat.beat()


def _alive(threads: list[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threads if thread.is_alive()]


def _started(work: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _work_in_thread(deadline: float) -> None:
    try:
        with call_window.closing_at(deadline + LAST_CALLS_SECONDS):
            work(deadline)
    except (DatabaseError, InterfaceError):
        logger.warning("the database went away; the leases will expire", exc_info=True)
    finally:
        connection.close()


def _perform_duties_in_thread(deadline: float, yields_to: threading.Event | None) -> None:
    try:
        with call_window.closing_at(deadline + LAST_CALLS_OF_DUTIES_SECONDS):
            perform_duties(deadline, yields_to)
    except (DatabaseError, InterfaceError):
        logger.warning("the database went away; the leases will expire", exc_info=True)
    finally:
        connection.close()


# one thread's work


def work(deadline: float | None = None, most: int | None = None) -> int:
    """Work due rows in this thread until none is left, the deadline passes, `most` are worked or a stop is requested.

    Return how many were worked.
    """
    count = 0
    while not stop_signal.is_requested():
        if (deadline is not None and time.monotonic() > deadline) or count == most:
            break
        step = _next_step(count)
        if step is None:
            break
        step()
        count += 1
    return count


def perform_duties(deadline: float | None = None, yields_to: threading.Event | None = None) -> int:
    """Perform due duties in this thread, the longest-waiting first; return how many.

    It ends when none is due, the deadline passes, a stop is requested or rows wait that it yields to.
    """
    count = 0
    while not (stop_signal.is_requested() or (yields_to is not None and yields_to.is_set())):
        if deadline is not None and time.monotonic() > deadline:
            break
        run = DutyRun.claim(uuid.uuid4().hex)
        if run is None:
            break
        perform_duty(run)
        count += 1
    return count


def _next_step(turn: int) -> Step | None:
    """Claim one due row and return the step that works it; effects, deliveries and polls take turns."""
    owner = uuid.uuid4().hex
    claims = (_claim_effect, _claim_delivery, _claim_poll)
    for offset in range(len(claims)):
        step = claims[(turn + offset) % len(claims)](owner)
        if step is not None:
            return step
    return None


def _claim_effect(owner: str) -> Step | None:
    effect = Effect.claim(owner)
    return partial(perform_effect, effect) if effect else None


def _claim_delivery(owner: str) -> Step | None:
    delivery = Delivery.claim(owner)
    return partial(decide, delivery) if delivery else None


def _claim_poll(owner: str) -> Step | None:
    invitation = claim_poll()
    return partial(poll_invitation, invitation) if invitation else None


def perform_effect(effect: Effect) -> None:
    """Perform one claimed effect with fresh connections."""
    organization = effect.organization = Organization.objects.reread(effect.organization_id)
    with correlation.use(effect.correlation_id), call_log.collected():
        context = CallContext(effect=effect)
        perform(effect, clients_for(organization, context))


def decide(delivery: Delivery) -> None:
    """Bring one claimed delivery to its verdict with fresh connections."""
    organization = delivery.organization = Organization.objects.reread(delivery.organization_id)
    with correlation.use(correlation.of_delivery(delivery.pk)), call_log.collected():
        context = CallContext(delivery=delivery)
        handle_delivery(delivery, clients_for(organization, context))


def poll_invitation(invitation: Invitation) -> PollOutcome:
    """Poll one invitation with fresh connections."""
    organization = invitation.organization = Organization.objects.reread(invitation.organization_id)
    with correlation.use(), call_log.collected():
        context = CallContext(opportunity_without_row=invitation.opportunity_id)
        return poll(invitation, clients_for(organization, context))
