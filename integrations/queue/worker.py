"""The worker: claim one due row after another and hand it to its step with the clients it needs."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from integrations import correlation, stop_signal
from integrations.clients import call_window
from integrations.clients.context import CallContext
from integrations.clients.provider import clients_for
from integrations.models import Delivery, Effect, Heartbeat, Invitation, Organization
from integrations.queue.liveness import has_due
from integrations.queue.notify import LONG_TASK_SECONDS
from integrations.workflow.effects.perform import perform
from integrations.workflow.inbox.handle_delivery import handle_delivery
from integrations.workflow.results.poll import PollOutcome, poll
from integrations.workflow.results.poll_schedule import claim_poll

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 20.0
CHECK_SECONDS = 0.05  # how often drain() checks whether another thread is needed
BEAT_SECONDS = 1.0
BACKGROUND_DRAIN_SECONDS, BACKGROUND_PAUSE_SECONDS = 5.0, 1.0
#: After a drain's time is up, the steps that it has begun may begin calls for this long. They end well before
#: django-q2 kills a worker for taking too long, which would leave a call's outcome unknown.
LAST_CALLS_SECONDS = 60.0
#: The background thread of a long task claims nothing more, and the task itself begins no call, so long before its end.
LAST_STEPS_SECONDS = 130.0
LAST_CALL_SECONDS = 40.0

Step = Callable[[], object]


# draining: any number of threads and processes at once


def drain(seconds: float = DRAIN_SECONDS) -> None:
    """Work every due row until nothing is due, the time is up or a stop is requested; any number may run at once.

    What was begun is ended before this returns.
    """
    deadline = time.monotonic() + seconds
    threads: list[threading.Thread] = []
    beat_at = 0.0
    try:
        while time.monotonic() < deadline and not stop_signal.is_requested():
            if time.monotonic() - beat_at >= BEAT_SECONDS:
                Heartbeat.beat()
                beat_at = time.monotonic()
            threads = [thread for thread in threads if thread.is_alive()]
            is_due = has_due()
            if not is_due and not threads:
                return
            if is_due and len(threads) < settings.DRAIN_THREADS:
                thread = threading.Thread(target=_work_in_thread, args=(deadline,), daemon=True)
                thread.start()
                threads.append(thread)
            stop_signal.wait(CHECK_SECONDS)
    finally:
        for thread in threads:
            while thread.is_alive():
                thread.join(BEAT_SECONDS)
                Heartbeat.beat()


@contextmanager
def keep_draining() -> Iterator[None]:
    """Go on working due rows in a background thread while this worker does something long.

    Otherwise a few long tasks at once would leave no worker for due rows, and look like a frozen cluster. Both threads
    end their calls early enough that killing the worker for taking too long interrupts none.
    """
    is_over = threading.Event()
    end = time.monotonic() + LONG_TASK_SECONDS
    thread = threading.Thread(target=_drain_until, args=(is_over, end - LAST_STEPS_SECONDS), daemon=True)
    thread.start()
    try:
        with call_window.closing_at(end - LAST_CALL_SECONDS):
            yield
    finally:
        is_over.set()
        thread.join()


def _drain_until(is_over: threading.Event, deadline: float) -> None:
    try:
        while not (is_over.is_set() or stop_signal.is_requested()) and time.monotonic() < deadline:
            try:
                drain(BACKGROUND_DRAIN_SECONDS)
            except (DatabaseError, InterfaceError):
                logger.warning("the database went away during a long task", exc_info=True)
                connection.close()
            is_over.wait(BACKGROUND_PAUSE_SECONDS)
    finally:
        connection.close()


def _work_in_thread(deadline: float) -> None:
    try:
        with call_window.closing_at(deadline + LAST_CALLS_SECONDS):
            work(deadline)
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
    with correlation.use(effect.correlation_id):
        context = CallContext(effect=effect, opportunity_id=effect.opportunity_id)
        perform(effect, clients_for(organization, context))


def decide(delivery: Delivery) -> None:
    """Bring one claimed delivery to its verdict with fresh connections."""
    organization = delivery.organization = Organization.objects.reread(delivery.organization_id)
    with correlation.use(correlation.of_delivery(delivery.pk)):
        context = CallContext(delivery=delivery, opportunity_id=delivery.opportunity_id)
        handle_delivery(delivery, clients_for(organization, context))


def poll_invitation(invitation: Invitation) -> PollOutcome:
    """Poll one invitation with fresh connections."""
    organization = invitation.organization = Organization.objects.reread(invitation.organization_id)
    with correlation.use():
        context = CallContext(opportunity_id=invitation.opportunity_id)
        return poll(invitation, clients_for(organization, context))
