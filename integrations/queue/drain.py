"""A drain: a worker process performs rows and duties in threads, as they become due, for some seconds.

A drain doesn't end when nothing is due: it waits for more, since the next one would begin later than the work. One
thread claims for all others, as many rows at once as they can begin: no row is held that isn't being worked.
"""

import logging
import threading
import time
from contextlib import suppress
from functools import partial

from django.conf import settings
from django.db import connection

from integrations import stop_signal
from integrations.clients import call_window
from integrations.models import Heartbeat
from integrations.models.db_retry import DATABASE_OUTAGE, conflict
from integrations.queue import due_work
from integrations.queue.kept_threads import kept_threads
from integrations.queue.notify import NOTIFY_EVERY_SECONDS
from integrations.queue.organization_reads import OrganizationReads
from integrations.queue.step_threads import StepThreads
from integrations.queue.wake_ups import WakeUps
from integrations.queue.worker import Row, claim_delivery, claim_rows, perform_duties, work_on
from integrations.workflow.email.password_reset import answer_requests

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 20.0
BEAT_SECONDS = 1.0
#: A drain looks for due rows at least so often; it is woken for new ones, and knows when the next is due.
LOOK_SECONDS = 1.0
#: It looks again so long after it found something, or after a step ended: a step may leave other rows to do.
LOOK_AGAIN_SECONDS = 0.02
#: However often it is woken, so much time lies between two looks.
REST_SECONDS = 0.005
#: While rows wait for a thread, it waits so long for a second thread to become idle, and claims for both at once.
GATHER_SECONDS = 0.003
#: After a drain's time is up, the steps that it has begun may begin calls for this long. They end well before
#: django-q2 kills a worker for taking too long, which would leave a call's outcome unknown.
LAST_CALLS_SECONDS = 60.0
#: After a drain's time is up, it begins rows of candidates for so long while a duty is still being performed. A duty
#: ends within its turn; one that doesn't must not keep the rows waiting.
BESIDE_DUTIES_SECONDS = 120.0
#: How long a candidate's effects are taken up one after another while the drain only waits for its duties.
SHORT_SECONDS = 5.0


def drain(seconds: float | None = None) -> None:
    """Work rows and duties for so many seconds, DRAIN_SECONDS if not given; less when a stop is requested.

    Any number may run at once. What was begun is ended before this returns; it ends sooner when the database can't be
    reached.
    """
    one = _Drain(time.monotonic() + (DRAIN_SECONDS if seconds is None else seconds))
    try:
        one.run()
    except DATABASE_OUTAGE as error:
        logger.warning("a drain ended: %s", conflict(error) or "the database can't be reached", exc_info=True)
        connection.close()
    finally:
        one.end()


class _Drain:
    """The thread that looks for due work and hands it to the threads that perform it."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._wake_ups = WakeUps()
        self._organizations = OrganizationReads()
        self._steps = StepThreads(settings.DRAIN_THREADS, self._wake_ups.end_step)
        self._duties = StepThreads(settings.DUTY_THREADS, self._wake_ups.end_step)
        #: Set while rows of candidates wait for a thread: then one thread performs duties.
        self._rows_wait = threading.Event()
        #: Whether there may be new work since the last look.
        self._was_notified = False
        #: Whether the last look found no row that was due.
        self._found_none = False
        self._ended_before = 0
        self._turn = 0
        self._beat_at = self._look_at = self._looked_at = 0.0

    def run(self) -> None:
        """Hand over what is due until the time is up and no duty is being performed, or a stop is requested."""
        self._steps.start_one()
        while not stop_signal.is_requested():
            now = time.monotonic()
            if now >= self._beat_at:
                Heartbeat.beat()
                answer_requests()
                self._beat_at = now + BEAT_SECONDS
            if now >= self._deadline and not self._duties.running:
                return
            if now >= self._look_at and now < self._deadline + BESIDE_DUTIES_SECONDS:
                self._look(now)
            elif now >= self._look_at:  # the worker will soon be killed; nothing is begun any more
                self._was_notified, self._look_at = False, now + LOOK_SECONDS
            if self._wake_ups.wait(max(0.0, min(self._beat_at, self._look_at) - time.monotonic())):
                self._was_notified = True
            if self._was_notified and self._steps.idle:  # without an idle thread it waits for a step's end
                self._look_within(REST_SECONDS - (time.monotonic() - self._looked_at))
            if self._ended_before != (ended := self._steps.ended):
                self._ended_before = ended
                self._look_within(self._pause_after_step())

    def end(self) -> None:
        """Wait until what was begun has ended."""
        for threads in (self._steps, self._duties):
            while not threads.join(BEAT_SECONDS):
                with suppress(*DATABASE_OUTAGE):  # the threads must be waited for all the same
                    Heartbeat.beat()
        self._wake_ups.close()
        if stop_signal.is_requested():
            kept_threads.end_all()
        else:
            kept_threads.end_unused()

    def _look(self, now: float) -> None:
        """Hand over what is due, and set when to look again."""
        was_notified, self._was_notified = self._was_notified, False
        self._looked_at = now
        was_notified = was_notified and self._wake_ups.are_notifications
        if was_notified and self._found_none:
            self._begin_first(now)
            return
        due = due_work.read()
        self._found_none = not due.rows
        if due.rows:
            self._claim(due, now)
        rows_wait = due.rows and not self._steps.idle
        if rows_wait:
            self._rows_wait.set()
        else:
            self._rows_wait.clear()
        has_begun_duty = due.duties and now < self._deadline and self._begin_duties()
        self._look_at = now + LOOK_SECONDS
        if was_notified:  # for so long after a notification a process sends no other
            self._look_within(NOTIFY_EVERY_SECONDS + REST_SECONDS)
        if has_begun_duty or (due.rows and not rows_wait):
            self._look_within(LOOK_AGAIN_SECONDS)
        elif (wait := due.seconds_until_next()) is not None:
            self._look_within(max(wait, NOTIFY_EVERY_SECONDS))

    def _begin_first(self, now: float) -> None:
        """Claim one delivery: nothing waited when this process was notified, so it most likely has just come.

        That takes one statement instead of three. What else has come is found by the next look. On SQLite, where no
        notification tells of new work, a claim that finds nothing would wait for the writers.
        """
        self._found_none = False
        self._look_at = now + NOTIFY_EVERY_SECONDS + REST_SECONDS
        if self._steps.idle and (delivery := claim_delivery()):
            self._hand_over(delivery, now)

    def _look_within(self, seconds: float) -> None:
        self._look_at = min(self._look_at, time.monotonic() + seconds)

    def _pause_after_step(self) -> float:
        """Return the time until the next look after a step has ended."""
        if not self._rows_wait.is_set():
            return LOOK_AGAIN_SECONDS
        return 0.0 if self._steps.idle * 2 >= settings.DRAIN_THREADS else GATHER_SECONDS

    def _claim(self, due: due_work.DueWork, now: float) -> None:
        """Claim rows for the idle threads and hand them over."""
        if not self._steps.idle:
            return
        rows = claim_rows(self._steps.idle, self._turn, due)
        self._turn += 1
        for row in rows:
            self._hand_over(row, now)

    def _hand_over(self, row: Row, now: float) -> None:
        until = max(self._deadline, now + SHORT_SECONDS)
        self._steps.hand_over(partial(_work_until, until, row, self._organizations))

    def _begin_duties(self) -> bool:
        """Hand over the performing of duties, to one thread while rows wait; return whether it was."""
        if self._duties.running >= (1 if self._rows_wait.is_set() else settings.DUTY_THREADS):
            return False
        yields_to = self._rows_wait if self._duties.running else None
        self._duties.hand_over(partial(perform_duties, self._deadline, yields_to))
        return True


def _work_until(deadline: float, row: Row, organizations: OrganizationReads) -> None:
    with call_window.closing_at(deadline + LAST_CALLS_SECONDS):
        work_on(row, organizations, deadline)
