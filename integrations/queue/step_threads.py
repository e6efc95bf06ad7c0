"""The threads of a drain that perform steps: started when they are needed first, ended with the drain."""

import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from django.db import DatabaseError, InterfaceError, connection

logger = logging.getLogger(__name__)

type Task = Callable[[], object]


class StepThreads:
    """At most `most` threads, each with a connection to the database that it keeps; one thread hands them tasks."""

    def __init__(self, most: int, on_end: Callable[[], None]) -> None:
        self._most = most
        self._on_end = on_end
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
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
        """Start a thread that connects to the database and waits, so that the first task needn't."""
        self.hand_over(_connect)

    def hand_over(self, task: Task) -> None:
        """Have the task performed; a thread is started for it when all are busy."""
        with self._lock:
            self._running += 1
            must_start = self._running > len(self._threads)
        self._tasks.put(task)
        if must_start:
            thread = threading.Thread(target=self._perform_tasks, daemon=True)
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """Let each thread end after its task."""
        for _ in self._threads:
            self._tasks.put(None)

    def join(self, seconds: float) -> bool:
        """Wait for the end of the threads for so many seconds; return whether all have ended."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _perform_tasks(self) -> None:
        try:
            for task in iter(self._tasks.get, None):
                self._perform(task)
        finally:
            connection.close()

    def _perform(self, task: Task) -> None:
        try:
            task()
        except (DatabaseError, InterfaceError):
            logger.warning("the database went away; the leases will expire", exc_info=True)
            connection.close()
        except Exception:
            logger.exception("a step's thread failed; the lease will expire")
        finally:
            with self._lock:
                self._running -= 1
                self._ended += 1
            self._on_end()


def _connect() -> None:
    connection.ensure_connection()
