"""A thread that looks at something again and again, as long as there is something to look at."""

import os
import threading
from abc import ABC, abstractmethod


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
        """Have the thread look, from now on if it doesn't yet."""
        if not self._is_watching:
            self._is_watching = True
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()  # never set: `time.sleep` would move a clock that a test pretends
        while self._is_watching:
            pause.wait(self._every)
            with self.lock:
                self._is_watching = self.look()

    def _begin_anew(self) -> None:
        self.lock = threading.Lock()  # the parent's may have been held by another thread
        self._is_watching = False
        self.forget()
