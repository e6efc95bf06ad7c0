"""Spans of traces: how long a request, a step or a call took, told by codes and ids alone.

Where the operator asks for traces, `portal.traces` sends them. Everywhere else nothing is kept, and nothing is paid.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol, TypedDict, Unpack

from integrations.core import correlation

#: The name under which a request has the id of what it leads to; without one its span is under the request's own.
LEADS_TO = "portal.leads_to"


class Told(TypedDict, total=False):
    """All that a span may tell. No text of a person, no name, no address, no path and no secret."""

    method: str
    status: int | None
    organization: int
    kind: str
    verdict: str
    state: str
    attempt: int
    platform: str
    endpoint: str
    waited_seconds: float


class Recorder(Protocol):
    """What makes spans of what is told; it raises nothing.

    All spans under one correlation id are one trace. The first of them is the parent of those that are in no other.
    """

    def around(
        self, name: str, correlation_id: str, told: Told, *, is_first: bool
    ) -> AbstractContextManager[None]:
        """Tell of what is inside, with what is added to `told` by then."""

    def ended(self, name: str, correlation_id: str, told: Told, *, seconds: float, is_first: bool) -> None:
        """Tell of what ended just now and took so long."""


_recorder: Recorder | None = None
_told: ContextVar[Told | None] = ContextVar("told", default=None)


def record_by(recorder: Recorder | None) -> None:
    """Have this process' spans made by the recorder, or by none."""
    global _recorder  # noqa: PLW0603
    _recorder = recorder


def are_recorded() -> bool:
    """Whether traces are on."""
    return _recorder is not None


def around(name: str, *, is_first: bool = False, **told: Unpack[Told]) -> AbstractContextManager[None]:
    """Tell of what is inside, under the id of the work in progress."""
    if _recorder is None:
        return nullcontext()
    return _around(_recorder, name, told, is_first)


@contextmanager
def _around(recorder: Recorder, name: str, told: Told, is_first: bool) -> Iterator[None]:
    token = _told.set(told)
    try:
        with recorder.around(name, correlation.current(), told, is_first=is_first):
            yield
    finally:
        _told.reset(token)


def add(**told: Unpack[Told]) -> None:
    """Tell this too of what is in progress."""
    if (known := _told.get()) is not None:
        known.update(told)


def ended(
    name: str, seconds: float, correlation_id: str = "", *, is_first: bool = False, **told: Unpack[Told]
) -> None:
    """Tell of what ended just now and took so long, under this id or that of the work in progress."""
    if _recorder is not None:
        _recorder.ended(
            name, correlation_id or correlation.current(), told, seconds=seconds, is_first=is_first
        )
