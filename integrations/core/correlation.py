"""The id that everything shares which one event leads to: calls, effects and lines of the log.

A delivery's id follows from its number, so that its tries share it; an effect keeps the id under which it was enqueued.
While a request is answered the id is the request's; the answer to a webhook also has the delivery's.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("correlation_id", default="")


def current() -> str:
    """Return the id of the work in progress, empty outside of any."""
    return _current.get()


def current_or_new() -> str:
    """Return the id of the work in progress, a new one outside of any."""
    return current() or uuid.uuid4().hex


def of_delivery(pk: int | str) -> str:
    """Return the id of all that a delivery leads to."""
    return f"delivery-{pk}"


@contextmanager
def use(correlation_id: str = "") -> Iterator[None]:
    """Do the work inside under an id, a new one if none is given."""
    token = _current.set(correlation_id or uuid.uuid4().hex)
    try:
        yield
    finally:
        _current.reset(token)
