"""Slots for work in requests that is costly or waits: half of a web process' threads stay free for everything else.

A request takes a slot without waiting, or is told to come again. Workers and commands are not bounded here: they answer
nobody.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

#: After how long to come again.
RETRY_SECONDS = 3


class Work(Enum):
    """A kind of work: how many slots a process has for it, and how many of them one organization may hold.

    Together they are half of the threads of a web process.
    """

    #: Computing the hash of a password: it takes a whole processor, and there is a process for each.
    PASSWORD = "password", 1, 1
    #: Waiting for Lever or for CodeScreen.
    PLATFORM = "platform", 2, 1
    #: Reading a whole list, and sending it.
    EXPORT = "export", 1, 1

    def __init__(self, code: str, at_once: int, of_one: int) -> None:
        self.code, self.at_once, self.of_one = code, at_once, of_one


class Busy(Exception):
    """All slots for this are taken, or those of the organization. Nothing was done: try again in RETRY_SECONDS."""


#: The kind of work, and the key of the organization: 0 where the work is of none.
type _Slot = tuple[Work, int]


class _Request(threading.local):
    """What the request that this thread answers holds; None while it answers none."""

    held: list[_Slot] | None = None


_request = _Request()
_taken: Counter[_Slot] = Counter()
_lock = threading.Lock()


def begin_request() -> None:
    """Bound what this thread does from now on."""
    end_request()
    _request.held = []


def end_request() -> None:
    """Give back what the request held: its answer was sent."""
    for slot in _request.held or ():
        _give_back(slot)
    _request.held = None


def is_request() -> bool:
    """Whether this thread answers a request."""
    return _request.held is not None


def hold(work: Work, organization_id: int = 0) -> None:
    """Take a slot until the answer was sent; a request that holds one of this kind needs no other. Raises Busy."""
    held = _request.held
    if held is not None and all(one is not work for one, _ in held):
        _take((work, organization_id))
        held.append((work, organization_id))


@contextmanager
def slot(work: Work) -> Iterator[None]:
    """Hold a slot for a moment. Raises Busy."""
    if not is_request():
        yield
        return
    _take((work, 0))
    try:
        yield
    finally:
        _give_back((work, 0))


def _take(slot: _Slot) -> None:
    work, _ = slot
    with _lock:
        of_kind = sum(count for (one, _), count in _taken.items() if one is work)
        if of_kind >= work.at_once or _taken[slot] >= work.of_one:
            raise Busy
        _taken[slot] += 1


def _give_back(slot: _Slot) -> None:
    with _lock:
        _taken[slot] -= 1
        if not _taken[slot]:
            del _taken[slot]
