"""Lets the planned faults happen, at the database's connection and at the wire, without a hook in the product.

A killed process is one that raises Killed, which nothing in the product catches. Its open transaction is rolled back,
and until the process is started again every statement and call is refused, so that a `finally` of the product, which
a real kill would not run, can change nothing.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, Self
from unittest import mock

from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg.pq import TransactionStatus

from integrations.queue import worker
from integrations.store.leasing import LEASE
from portal.devtools.chaos.every_point.faults import (
    LONG_AWAY,
    SHORT_AWAY,
    Fault,
    FaultKind,
    Place,
    PlaceKind,
    Trace,
    name_of_commit,
)
from portal.devtools.clock import STATEMENT_SECONDS, PretendClock

STALL_SECONDS = 2 * LEASE.total_seconds()
WRITES = re.compile(r"\s*(WITH\b.*\b)?(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE | re.DOTALL)
#: A call to CodeScreen is under way, or its outcome has not been recorded.
IN_FLIGHT = """SELECT 1 FROM integrations_effect
WHERE kind = 'send_invitation' AND state = 'due' AND attempt_started_at IS NOT NULL"""
#: Lever's tokens are being refreshed, or what Lever answered has not been stored: the old ones can't be used again.
REFRESHING = "SELECT 1 FROM integrations_leverconnection WHERE refresh_leased_until IS NOT NULL"
AWAY_SECONDS = {
    FaultKind.AWAY_BEFORE: SHORT_AWAY,
    FaultKind.AWAY_AFTER: SHORT_AWAY,
    FaultKind.AWAY_LONG: LONG_AWAY,
}


class Killed(BaseException):
    """The process was killed here."""


@dataclass(frozen=True)
class Happened:
    """A fault that happened, and which outcomes had not been recorded then: an invitation's, a refresh's."""

    fault: Fault
    was_in_flight: bool
    was_refreshing: bool

    @classmethod
    def now(cls, fault: Fault) -> Self:
        """Return what is the case now, by what is committed."""
        with closing(connection.get_new_connection(connection.get_connection_params())) as reader:
            is_in_flight, is_refreshing = (
                reader.execute(query).fetchone() is not None for query in (IN_FLIGHT, REFRESHING)
            )
        return cls(fault, is_in_flight, is_refreshing)


class _Transaction(threading.local):
    """The open transaction of each thread."""

    is_lost = False
    _changes_before = 0

    def begin(self) -> None:
        """Note that one begins."""
        self.is_lost = False
        if connection.vendor == "sqlite":
            self._changes_before = connection.connection.total_changes

    def has_changed_rows(self) -> bool:
        """Whether it changed any row, on PostgreSQL also whether it locked one; else there is nothing to commit."""
        raw = connection.connection
        if raw is None:
            return False
        if connection.vendor == "sqlite":
            return bool(raw.total_changes != self._changes_before)
        if raw.info.transaction_status != TransactionStatus.INTRANS:
            return False
        return bool(raw.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchone()[0])


class Injector:
    """Watches the product's commits and calls, and lets the planned faults happen."""

    def __init__(self, clock: PretendClock) -> None:
        self.trace = Trace()
        self.happened: list[Happened] = []
        self._clock = clock
        self._planned: list[Fault] = []
        self._is_watching = False
        self._is_dead = False
        self._away_until = 0.0
        self._transaction = _Transaction()

    def plan(self, faults: Sequence[Fault]) -> None:
        """Let these faults happen, one after the other."""
        self._planned = list(faults)

    @property
    def outstanding(self) -> Sequence[Fault]:
        """The planned faults whose place was not reached."""
        return self._planned

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what the product does in this block; what the run itself does outside is not the job's."""
        self._is_watching = True
        try:
            yield
        finally:
            self._is_watching = self._is_dead = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Hook the connections that are opened from now on, of every thread."""
        backend = type(connections[DEFAULT_DB_ALIAS])
        commit, set_autocommit = backend.commit, backend.set_autocommit

        def on_commit(wrapper: BaseDatabaseWrapper) -> None:
            self._on_commit(partial(commit, wrapper))

        def on_set_autocommit(
            wrapper: BaseDatabaseWrapper, autocommit: bool, *more: Any, **named: Any
        ) -> None:
            set_autocommit(wrapper, autocommit, *more, **named)
            if not autocommit:
                self._transaction.begin()

        def hook(connection: BaseDatabaseWrapper, **_: object) -> None:
            if self._execute not in connection.execute_wrappers:
                connection.execute_wrappers.insert(0, self._execute)

        def unhook() -> None:
            connection_created.disconnect(hook)
            for one in connections.all(initialized_only=True):
                if self._execute in one.execute_wrappers:
                    one.execute_wrappers.remove(self._execute)

        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(backend, "commit", on_commit))
            stack.enter_context(mock.patch.object(backend, "set_autocommit", on_set_autocommit))
            connection_created.connect(hook, weak=False)
            stack.callback(unhook)
            yield

    # the wire

    def at_call(self, name: str) -> FaultKind | None:
        """Note a call that is about to be made, and return the fault that is to happen to it."""
        self._refuse_if_dead()
        if not self._is_watching:
            raise RuntimeError(f"{name} was called outside of the job")
        place = self.trace.reach(PlaceKind.CALL, name)
        kind = self._take(place)
        if kind is FaultKind.KILLED_BEFORE:
            self._die()
        return kind

    def after_call(self, kind: FaultKind | None) -> None:
        """Let happen what happens once the platform did as asked."""
        if kind is FaultKind.KILLED_AFTER:
            self._die()
        if kind in AWAY_SECONDS:
            self._go_away(AWAY_SECONDS[kind])
        if kind is FaultKind.STALLED:
            self._stall()

    # the database

    def _execute(
        self, execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any
    ) -> Any:
        self._refuse_if_dead()
        if not self._is_watching:
            return execute(sql, parameters, many, context)
        self._clock.advance(STATEMENT_SECONDS)
        self._refuse_if_away()
        if connection.in_atomic_block or not WRITES.match(sql):
            return execute(sql, parameters, many, context)
        return self._commit(lambda: execute(sql, parameters, many, context))

    def _on_commit(self, commit: Callable[[], Any]) -> Any:
        self._refuse_if_dead()
        if not self._is_watching or not self._transaction.has_changed_rows():
            return commit()
        self._refuse_if_away()
        return self._commit(commit)

    def _commit(self, commit: Callable[[], Any]) -> Any:
        """Make a commit, and let happen what is planned before and after it."""
        place = self.trace.reach(PlaceKind.COMMIT, name_of_commit())
        kind = self._take(place)
        if kind is FaultKind.KILLED_BEFORE:
            self._die()
        if kind in {FaultKind.AWAY_BEFORE, FaultKind.AWAY_LONG}:
            self._go_away(AWAY_SECONDS[kind])
            self._refuse_if_away()
        result = commit()
        if kind is FaultKind.KILLED_AFTER:
            # the commit may have begun a sending or ended one
            self.happened.append(Happened.now(self.happened.pop().fault))
            self._die()
        if kind is FaultKind.AWAY_AFTER:
            self._go_away(AWAY_SECONDS[kind])
            self._refuse_if_away()
        return result

    # what happens

    def _take(self, place: Place) -> FaultKind | None:
        if not self._planned or self._planned[0].label != place.label:
            return None
        fault = self._planned.pop(0)
        self.happened.append(Happened.now(fault))
        return fault.kind

    def _die(self) -> NoReturn:
        self._is_dead = True
        self._roll_back()
        raise Killed

    def _stall(self) -> None:
        """Stand still until the lease is over, while another worker works all that is due then."""
        self._clock.advance(STALL_SECONDS)
        other = threading.Thread(target=_work_elsewhere)
        other.start()
        other.join()

    def _go_away(self, seconds: float) -> None:
        self._away_until = self._clock.seconds() + seconds
        self._transaction.is_lost = connection.in_atomic_block
        self._roll_back()

    def _roll_back(self) -> None:
        """Roll the open transaction back, as the database does when its client is gone."""
        if connection.connection is not None:
            connection.connection.rollback()

    def _refuse_if_dead(self) -> None:
        if self._is_dead:
            raise Killed

    def _refuse_if_away(self) -> None:
        is_in_lost_transaction = self._transaction.is_lost and connection.in_atomic_block
        if is_in_lost_transaction or self._clock.seconds() < self._away_until:
            connection.errors_occurred = True
            if connection.vendor == "postgresql" and not connection.in_atomic_block:
                connection.close()  # else one that is being opened would stay without its settings
            raise OperationalError("the database is away")


def _work_elsewhere() -> None:
    try:
        worker.work()
    finally:
        connection.close()
