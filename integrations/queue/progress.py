"""When a worker of this cluster last made progress: a number in memory that its processes share.

There is no lock, which a process that is killed could hold for ever.
"""

import mmap
import time

_at = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("d")


def note() -> None:
    """Note that the calling process makes progress now."""
    _at[0] = time.monotonic()


def last() -> float:
    """Return when a process last did, by the monotonic clock."""
    return _at[0]
