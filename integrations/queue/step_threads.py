"""The steps that a drain has begun and that haven't ended, each in a thread."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from django.db import DatabaseError, InterfaceError, connection

from integrations.models import prepared
from integrations.models.db_retry import conflict
from integrations.queue.kept_threads import Task, kept_threads

logger = logging.getLogger(__name__)


class StepThreads:
    """At most `most` threads, each with a connection to the database; one thread hands them tasks."""

    def __init__(self, most: int, on_end: Callable[[], None]) -> None:
        self._most = most
        self._on_end = on_end
        self._changed = threading.Condition()
        self._running = 0
        self._ended = 0

    @property
    def running(self) -> int:
        """How many tasks were handed over and haven't ended."""
        return self._running

    @property
    def ended(self) -> int:
        """How many tasks have ended so far."""
        return self._ended

    @property
    def idle(self) -> int:
        """How many tasks can begin at once."""
        return self._most - self._running

    def start_one(self) -> None:
        """Have a thread with a connection to the database that has run the queries of steps, so that none waits."""
        self.hand_over(_connect)

    def hand_over(self, task: Task) -> None:
        """Have the task performed; a thread is started for it when all are busy."""
        with self._changed:  # the task's end waits for it
            kept_threads.perform(partial(_perform, task), self._note_end)
            self._running += 1  # not before: the machine may have no room for another thread

    def join(self, seconds: float) -> bool:
        """Wait for the end of the tasks for so many seconds; return whether all have ended."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, seconds)

    def _note_end(self) -> None:
        with self._changed:
            self._running -= 1
            self._ended += 1
            self._changed.notify()
            self._on_end()  # before `join` returns: afterwards the drain has no use for it


def _perform(task: Task) -> None:
    try:
        connection.close_if_unusable_or_obsolete()  # it was kept: whether it still works is asked with its next use
        task()
    except (DatabaseError, InterfaceError) as error:
        what = conflict(error) or "the database went away"
        logger.warning("%s; the leases of a step will expire", what, exc_info=True)
        connection.close()
    except Exception:
        logger.exception("a step's thread failed; the lease will expire")


def _connect() -> None:
    if connection.connection is None:
        prepared.run_all_once()
