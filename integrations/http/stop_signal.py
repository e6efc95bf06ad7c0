"""The request to stop, which every process of a cluster of workers sees.

It is a byte in a pipe that the cluster makes before it starts its processes. Nobody takes the byte out, so all of them
see it, whichever of them were killed meanwhile; a killed process could hold a lock or an event of multiprocessing.
Only the cluster's own process keeps the end that is written to: when it is killed, the others see the end of the pipe,
which means the same. Without their cluster nobody could stop them.
"""

import os
import select
import time

_pipe: tuple[int, int | None] | None = None  # its reading and, in the cluster's own process, its writing end


def prepare() -> None:
    """Make the signal; processes that are forked from now on share it. Before that, nothing is ever requested."""
    global _pipe  # noqa: PLW0603
    if _pipe is None:
        _pipe = os.pipe()


def request() -> None:
    """Ask every process that shares the signal to begin nothing new and to end what it has begun."""
    writing_end = _pipe[1] if _pipe else None
    if writing_end is not None and not is_requested():
        os.write(writing_end, b".")


def is_requested() -> bool:
    """Whether a stop was requested."""
    return wait(0.0)


def wait(seconds: float) -> bool:
    """Sleep so many seconds, less when a stop is requested meanwhile. Return whether one is requested."""
    if _pipe is None:
        time.sleep(seconds)
        return False
    poll = select.poll()
    poll.register(_pipe[0], select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def discard() -> None:
    """Forget the signal."""
    global _pipe  # noqa: PLW0603
    if _pipe is not None:
        for end in _pipe:
            if end is not None:
                os.close(end)
        _pipe = None


def _keep_reading_end() -> None:
    """Close the writing end in a process that was forked from the cluster's own."""
    global _pipe  # noqa: PLW0603
    if _pipe is not None and _pipe[1] is not None:
        os.close(_pipe[1])
        _pipe = (_pipe[0], None)


os.register_at_fork(after_in_child=_keep_reading_end)
