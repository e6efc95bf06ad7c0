"""A thread that looks at something again and again, as long as there is something to look at."""

import logging
import os
import threading
from abc import ABC, abstractmethod

logger = logging.getLogger(__name__)


class Watch(ABC):
    """Looks at something `every` so many seconds, in a thread that ends when there is nothing left.

    What is looked at is changed under `lock` alone, and `begin` is called under it after something was added.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self.lock = threading.Lock()
        self._is_watching = False
        os.register_at_fork(after_in_child=self._begin_anew)

    @abstractmethod
    def look(self) -> bool:
        """Look once, under the lock; return whether there is something to look at later."""

    @abstractmethod
    def forget(self) -> None:
        """Forget, in a process just forked, what is its parent's to look at."""

    def begin(self) -> None:
        """Start the thread unless it runs. Raises RuntimeError when the machine has no room for it."""
        if not self._is_watching:
            threading.Thread(target=self._watch, daemon=True).start()
            self._is_watching = True

    def _watch(self) -> None:
        pause = threading.Event()  # never set: `time.sleep` would move a clock that a test pretends
        while True:
            pause.wait(self._every)
            with self.lock:
                try:
                    is_needed = self.look()
                except Exception:  # without the thread no call would be bounded
                    logger.exception("what is watched could not be looked at; it is tried again")
                    is_needed = True
                if not is_needed:
                    self._is_watching = False
                    return

    def _begin_anew(self) -> None:
        self.lock = threading.Lock()  # the parent's may have been held by another thread
        self._is_watching = False
        self.forget()
