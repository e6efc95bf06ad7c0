"""The request to stop, which every process of a cluster of workers sees.

It is a byte in a pipe that the cluster makes before it starts its processes. Nobody takes the byte out, so all of them
see it, whichever of them were killed meanwhile; a killed process could hold a lock or an event of multiprocessing.
"""

import os
import select
import time

_pipe: tuple[int, int] | None = None  # its reading and its writing end, inherited by the processes


def prepare() -> None:
    """Make the signal; processes that are forked from now on share it. Before that, nothing is ever requested."""
    global _pipe  # noqa: PLW0603
    if _pipe is None:
        _pipe = os.pipe()


def request() -> None:
    """Ask every process that shares the signal to begin nothing new and to end what it has begun."""
    if _pipe is not None and not is_requested():
        os.write(_pipe[1], b".")


def is_requested() -> bool:
    """Whether a stop was requested."""
    return wait(0.0)


def wait(seconds: float) -> bool:
    """Sleep so many seconds, less when a stop is requested meanwhile; return whether it is requested."""
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
            os.close(end)
        _pipe = None
