"""The calls of the step in progress: recorded in the transaction that records how the step ended.

A kill may lose the record of a call; the intent to make it was committed before.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import DatabaseError, InterfaceError, transaction

from integrations.models import ApiCall
from integrations.models.call_statement import store_calls

logger = logging.getLogger(__name__)

#: A step of more calls records them in between.
MOST_COLLECTED = 50


class _CallLog:
    """The calls of one step that aren't recorded yet."""

    def __init__(self) -> None:
        self._calls: list[ApiCall] = []
        #: The connection broke while they were committed: perhaps they are stored all the same.
        self._may_be_stored = False

    def add(self, call: ApiCall) -> None:
        self._calls.append(call)
        if len(self._calls) >= MOST_COLLECTED and not transaction.get_connection().in_atomic_block:
            self.record_rest()

    def record_rest(self) -> None:
        """Record the calls in a transaction of their own. An error is only logged: the calls were made."""
        if not self._calls:
            return
        try:
            with self.recorded():
                pass
        except (DatabaseError, InterfaceError):
            logger.exception("%s API calls could not be recorded", len(self._calls))
            self._calls = []

    @contextmanager
    def recorded(self) -> Iterator[None]:
        with transaction.atomic():
            yield
            if transaction.get_rollback():
                return
            count = len(self._calls)
            store_calls(self._without_stored())
            self._may_be_stored = True
        del self._calls[:count]
        self._may_be_stored = False

    def _without_stored(self) -> list[ApiCall]:
        if not self._may_be_stored:
            return self._calls
        moments = [call.at for call in self._calls]
        ids = {call.correlation_id for call in self._calls}
        stored = set(
            ApiCall.objects.filter(correlation_id__in=ids, at__in=moments).values_list("correlation_id", "at")
        )
        return [call for call in self._calls if (call.correlation_id, call.at) not in stored]


_current: ContextVar[_CallLog | None] = ContextVar("call_log", default=None)


@contextmanager
def collected() -> Iterator[None]:
    """Collect the calls made inside until `recorded`; what is left at the end is recorded then, after an error too."""
    log = _CallLog()
    token = _current.set(log)
    try:
        yield
    finally:
        _current.reset(token)
        log.record_rest()


@contextmanager
def recorded() -> Iterator[None]:
    """Write what is inside in a transaction, and the calls collected so far with it.

    They stay collected if the transaction is rolled back.
    """
    log = _current.get() or _CallLog()
    with log.recorded():
        yield


def add(call: ApiCall) -> None:
    """Collect a call; outside of `collected` it is recorded at once."""
    log = _current.get()
    if log is not None:
        log.add(call)
        return
    log = _CallLog()
    log.add(call)
    log.record_rest()
