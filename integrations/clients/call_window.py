"""Until when a worker may begin another call: a call cut off by the worker's end would have an unknown outcome."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from integrations import stop_signal
from integrations.http.session import CallDeferred

STOPPING = "The portal is being stopped."
TIME_IS_UP = "The worker has no time left for another call."
#: A call, and the next turn of a duty, are tried so long after: workers have other things to do too.
AGAIN_AFTER_SECONDS = 1.0


class _Window(threading.local):
    closes_at: float | None = None
    require: Callable[[], None] | None = None


_window = _Window()


@contextmanager
def closing_at(deadline: float) -> Iterator[None]:
    """Let this thread begin no call after that moment of the monotonic clock."""
    former = _window.closes_at
    _window.closes_at = deadline
    try:
        yield
    finally:
        _window.closes_at = former


@contextmanager
def kept_by(require: Callable[[], None]) -> Iterator[None]:
    """Let this thread begin a call only when `require` raises no CallDeferred."""
    former = _window.require
    _window.require = require
    try:
        yield
    finally:
        _window.require = former


def require_open() -> None:
    """Raise CallDeferred when a stop was requested, or when this thread's time for calls is over."""
    if stop_signal.is_requested():
        raise CallDeferred(AGAIN_AFTER_SECONDS, STOPPING)
    if _window.closes_at is not None and time.monotonic() > _window.closes_at:
        raise CallDeferred(AGAIN_AFTER_SECONDS, TIME_IS_UP)
    if _window.require is not None:
        _window.require()
