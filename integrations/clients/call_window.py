"""Until when a worker may begin another call: a call cut off by the worker's end would have an unknown outcome."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from integrations.http import stop_signal
from integrations.http.session import CallDeferred

STOPPING = "The portal is being stopped."
TIME_IS_UP = "The worker has no time left for another call."
#: A call that couldn't begin is tried again after so long: workers have other things to do meanwhile.
AGAIN_AFTER_SECONDS = 1.0


class _Window(threading.local):
    closes_at: float | None = None


_window = _Window()


@contextmanager
def limited(closes_at: float) -> Iterator[None]:
    """Let this thread begin calls only before `closes_at`, by the monotonic clock."""
    former = _window.closes_at
    _window.closes_at = closes_at
    try:
        yield
    finally:
        _window.closes_at = former


def require_open() -> None:
    """Raise CallDeferred when a stop was requested, or when this thread's time for calls is over."""
    if stop_signal.is_requested():
        raise CallDeferred(AGAIN_AFTER_SECONDS, STOPPING)
    if _window.closes_at is not None and time.monotonic() > _window.closes_at:
        raise CallDeferred(AGAIN_AFTER_SECONDS, TIME_IS_UP)
