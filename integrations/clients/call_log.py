"""The calls of the step in progress: stored in the transaction that records how the step ended."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from django.db import DatabaseError, connection, models, transaction

from integrations.clients.models import ApiCall
from integrations.core.vocabulary import FINAL_ERASURES
from integrations.privacy.models import Erasure
from integrations.store.database import DATABASE_OUTAGE
from integrations.store.leasing import masked_traceback

logger = logging.getLogger(__name__)

#: The columns that stay empty after an erasure that forbids to store anything personal.
_BODIES = frozenset({"request_body", "response_body", "error"})


def store_calls(calls: Sequence[ApiCall]) -> None:
    """Store calls in one statement, in their order, except for those that are counted on an earlier one.

    They are stored without bodies and error if an erasure forbids to store anything personal about the opportunity, and
    without their effect or delivery if that was deleted meanwhile.
    """
    calls = [call for call in calls if not ApiCall.objects.count_repeat(call)]
    if not calls:
        return
    table, columns = _quoted(ApiCall._meta.db_table), ", ".join(_quoted(field.column) for field in _fields())
    rows = ", ".join(_row(is_about_a_person=bool(call.opportunity_id)) for call in calls)
    values = [value for call in calls for value in _values(call)]
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) VALUES {rows}", values)  # noqa: S608


def _fields() -> "list[models.Field[Any, Any]]":
    return [field for field in ApiCall._meta.concrete_fields if not field.primary_key]


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")


@cache
def _row(*, is_about_a_person: bool) -> str:
    return f"({', '.join(_placeholder(field, is_about_a_person) for field in _fields())})"


def _placeholder(field: "models.Field[Any, Any]", is_about_a_person: bool) -> str:
    if isinstance(field, models.ForeignKey) and field.null:
        table = _quoted(field.related_model._meta.db_table)
        return f"(SELECT id FROM {table} WHERE id = %s)"  # noqa: S608
    if field.name in _BODIES and is_about_a_person:
        causes = ", ".join(f"'{cause.value}'" for cause in sorted(FINAL_ERASURES))
        erased = (
            f"SELECT 1 FROM {_quoted(Erasure._meta.db_table)} "  # noqa: S608
            f"WHERE organization_id = %s AND opportunity_id = %s AND cause IN ({causes})"
        )
        return f"CASE WHEN EXISTS ({erased}) THEN '' ELSE %s END"
    return "%s"


def _values(call: ApiCall) -> Iterator[Any]:
    for field in _fields():
        if field.name in _BODIES and call.opportunity_id:
            yield from (call.organization_id, call.opportunity_id)
        yield field.get_db_prep_save(getattr(call, field.attname), connection)


# The calls of the step in progress: recorded in the transaction that records how the step ended.
#
# A kill may lose the record of a call; the intent to make it was committed before.


#: When a step has made this many calls, they are recorded before it ends.
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
        except DATABASE_OUTAGE:
            logger.warning("%s API calls could not be recorded", len(self._calls), exc_info=True)
            self._calls = []
        except DatabaseError as error:
            logger.error("%s API calls could not be recorded\n%s", len(self._calls), masked_traceback(error))
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
