"""The threads of a worker process that perform steps, kept between drains with their connections to the database.

A new connection makes a candidate wait longer: PostgreSQL reads its catalog for it, and plans a statement anew at the
first eight runs on each.
"""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from django.db import connection

#: A thread that has had nothing to do for so long ends, unless it is the last.
KEEP_SECONDS = 60.0

type Task = Callable[[], object]


class KeptThreads:
    """Threads that wait for a task. The one used last is used first, so that the others become too old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: In the order in which they became idle.
        self._idle: list[_Thread] = []

    def perform(self, task: Task, on_end: Callable[[], None]) -> None:
        """Have a task performed that raises nothing, then `on_end` called; a thread is started if none is idle."""
        with self._lock:
            thread = self._idle.pop() if self._idle else None
        (thread or _Thread(self._keep)).perform(task, on_end)

    def end_unused(self, seconds: float = KEEP_SECONDS) -> None:
        """End the threads that have been idle for longer, except the one used last."""
        until = time.monotonic() - seconds
        with self._lock:
            unused = [thread for thread in self._idle[:-1] if thread.idle_since < until]
            self._idle = [thread for thread in self._idle if thread not in unused]
        _end(unused)

    def end_all(self) -> None:
        """End all idle threads, and return when their connections are closed."""
        with self._lock:
            idle, self._idle = self._idle, []
        _end(idle)

    def _keep(self, thread: "_Thread") -> None:
        with self._lock:
            self._idle.append(thread)


class _Thread:
    """One thread, and what it is to do next."""

    def __init__(self, keep: "Callable[[_Thread], None]") -> None:
        self.idle_since = 0.0
        self._keep = keep
        self._tasks: SimpleQueue[tuple[Task, Callable[[], None]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._perform_tasks, daemon=True)
        self._thread.start()

    def perform(self, task: Task, on_end: Callable[[], None]) -> None:
        """Perform the task next."""
        self._tasks.put((task, on_end))

    def end(self) -> None:
        """End before the next task."""
        self._tasks.put(None)

    def join(self) -> None:
        """Wait for the thread's end."""
        self._thread.join()

    def _perform_tasks(self) -> None:
        try:
            for task, on_end in iter(self._tasks.get, None):
                task()
                self.idle_since = time.monotonic()
                self._keep(self)
                on_end()
        finally:
            connection.close()


def _end(threads: list[_Thread]) -> None:
    for thread in threads:
        thread.end()
    for thread in threads:
        thread.join()


kept_threads = KeptThreads()
