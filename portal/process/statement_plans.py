"""For which values PostgreSQL plans a statement.

A statement that a connection runs often is planned once, whatever its values: that suits workers, whose statements find
rows by a key. What people look for differs. Nearly all deliveries have one verdict and a dozen another, so that either
is found in its own way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_are_for_their_values = ContextVar("statements are planned for their values", default=False)


@contextmanager
def for_their_values() -> Iterator[None]:
    """Have the statements that this thread runs meanwhile planned each time anew, for the values that they have."""
    token = _are_for_their_values.set(True)
    try:
        yield
    finally:
        _are_for_their_values.reset(token)


def are_for_their_values() -> bool:
    """Whether the next statement is planned for its values."""
    return _are_for_their_values.get()
