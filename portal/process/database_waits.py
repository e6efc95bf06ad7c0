"""How long anybody waits for the database: for connections, statements and locks."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.db import DatabaseError, InterfaceError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

from portal.process.whole_requests import THREADS

# How long a thread waits for the database, so that one that has fallen silent holds nobody up for long.
#
# TCP notices a host that is gone, or a name that leads elsewhere now, after the seconds that environment.py sets;
# a proxy in between may keep a connection open for ever. Here the waiting itself has an end.


#: While the database can't be reached, it is tried again so long after the last try.
TRY_AGAIN_SECONDS = 0.5
#: What a try gave after its thread had gone is handed out for so long: a connection that rests may end unnoticed.
KEPT_SECONDS = 1.0

_until: ContextVar[float | None] = ContextVar("the end of waiting for the database", default=None)
#: How long a thread of this process waits for one answer at most; without an end unless a process sets it.
_longest: float | None = None


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Have this thread wait so many seconds for the database in all; what it asks later fails at once."""
    token = _until.set(min(_until.get() or float("inf"), time.monotonic() + seconds))
    try:
        yield
    finally:
        _until.reset(token)


def set_longest(seconds: float) -> None:
    """Have every thread of this process wait at most so many seconds for one answer."""
    global _longest  # noqa: PLW0603
    _longest = seconds


def seconds_left() -> float | None:
    """Return how long this thread may wait for the next answer, None when there is no end."""
    until = _until.get()
    if until is None:
        return _longest
    left = max(0.0, until - time.monotonic())
    return left if _longest is None else min(left, _longest)


class Unreachable(Exception):
    """The database isn't asked for a connection, or hasn't given one in time; the text says why."""


class Closable(Protocol):
    """A connection."""

    def close(self) -> None:
        """End it."""


@dataclass
class _Try[Connection: Closable]:
    """A try to connect. One that takes too long for its thread goes on, and serves the thread that asks next."""

    outcome: Future[Connection]
    is_awaited: bool = True
    ended_at: float = float("inf")

    def note_end(self, _: Future[Connection]) -> None:
        """Note when it gave a connection, or failed."""
        self.ended_at = time.monotonic()


class ConnectionGate[Connection: Closable]:
    """The way to one database: once a try has failed, one thread at a time tries, and the others are told at once.

    Otherwise all threads of the web server would wait for a database that is away, one request after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failure = ""
        self._again_at = 0.0
        self._tries: list[_Try[Connection]] = []

    def connect(self, connect: Callable[[], Connection], seconds: float) -> Connection:
        """Return a connection within so many seconds, in which the name is looked up too. Raises Unreachable.

        Errors of `connect` are raised as they are.
        """
        one = self._begin(connect)
        try:
            connection = one.outcome.result(seconds)
        except TimeoutError:
            self.note_failure("it gave no connection in time")
            with self._lock:
                one.is_awaited = False
            raise Unreachable(self._failure) from None
        except BaseException as error:
            self._end(one)
            self.note_failure(str(error))
            raise
        self._end(one)
        self._failure = ""
        return connection

    def note_failure(self, reason: str) -> None:
        """Note that the database can't be reached, or doesn't answer."""
        self._failure, self._again_at = reason, time.monotonic() + TRY_AGAIN_SECONDS

    def _begin(self, connect: Callable[[], Connection]) -> _Try[Connection]:
        """Return a try whose outcome this thread awaits."""
        with self._lock:
            for old in [one for one in self._tries if time.monotonic() - one.ended_at > KEPT_SECONDS]:
                if not old.is_awaited:
                    self._tries.remove(old)
                    if old.outcome.exception() is None:
                        old.outcome.result().close()
            if self._failure and (
                time.monotonic() < self._again_at or any(one.is_awaited for one in self._tries)
            ):
                raise Unreachable(f"a moment ago: {self._failure}")
            late = next((one for one in self._tries if not one.is_awaited), None)
            if late is not None:
                late.is_awaited = True
                return late
            one = _Try[Connection](Future())
            one.outcome.add_done_callback(one.note_end)
            self._tries.append(one)
        # in a thread of its own: the look-up of a name can't be ended
        threading.Thread(target=_settle, args=[one.outcome, connect], daemon=True, name="connect").start()
        return one

    def _end(self, one: _Try[Connection]) -> None:
        with self._lock:
            self._tries.remove(one)


def _settle[Connection: Closable](outcome: Future[Connection], connect: Callable[[], Connection]) -> None:
    try:
        outcome.set_result(connect())
    except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
        outcome.set_exception(error)


# How many database connections a node opens at most, and whether PostgreSQL allows so many.


#: The cluster's own process, sentinel, pusher and monitor.
OF_OTHER_PROCESSES = 4


def most_connections() -> int:
    """Return how many connections this node's processes have when every thread works."""
    of_worker = settings.STEP_THREADS + settings.DUTY_THREADS + 1  # and the thread that starts them
    of_web_worker = THREADS + 1  # and the one that answers whether it is ready
    return settings.WEB_WORKERS * of_web_worker + settings.Q_WORKERS * of_worker + OF_OTHER_PROCESSES


@register()
def check_connections(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Warn where PostgreSQL refuses connections that this node alone may open."""
    if connection.vendor != "postgresql":
        return []
    try:
        allowed = _allowed_connections()
    except (DatabaseError, InterfaceError):  # what needs the database says so
        return []
    needed = most_connections()
    if needed <= allowed:
        return []
    return [
        Warning(
            f"This node opens up to {needed} database connections, and PostgreSQL allows {allowed}: under load pages "
            "and webhooks would be answered 503.",
            hint="Raise max_connections, or lower WEB_WORKERS or Q_WORKERS; several nodes add up.",
            id="portal.W002",
        )
    ]


def _allowed_connections() -> int:
    """Return how many connections PostgreSQL allows to roles that aren't superusers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        )
        return int(cursor.fetchone()[0])


# Time-outs that are set on every new database connection, and others while it is migrated.


TIMEOUT_SECONDS = 10  # far less than a lease, far more than any transaction of the portal takes
#: How long a migration waits for a lock: every statement on the table queues behind it. Less than a webhook waits.
MIGRATION_LOCK_SECONDS = 2
NO_TIMEOUT = 0


def set_transaction_timeouts(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Let PostgreSQL end idle transactions, and waits for a lock, after TIMEOUT_SECONDS.

    A process that is suspended while it claims a row would otherwise keep every other worker from claiming one; and
    its threads that wait for a lock would get it one after the other, each for as long.
    """
    _set(connection, idle=TIMEOUT_SECONDS, lock=TIMEOUT_SECONDS)


def relax_timeouts_before_migrating(using: str, **_: object) -> None:
    """Let a migration take its time, for one may change many rows, but wait only briefly for a lock."""
    _set(connections[using], idle=NO_TIMEOUT, lock=MIGRATION_LOCK_SECONDS)


def set_timeouts_of_migration(connection: BaseDatabaseWrapper, *, is_atomic: bool) -> None:
    """Set the same for one migration. One without a transaction, such as an index that is built concurrently, waits on.

    It holds nobody up, and couldn't be tried again from its beginning.
    """
    _set(connection, idle=NO_TIMEOUT, lock=MIGRATION_LOCK_SECONDS if is_atomic else NO_TIMEOUT)


def restore_timeouts(using: str, **_: object) -> None:
    """Set the time-outs again after the migrations."""
    set_transaction_timeouts(connections[using])


def _set(connection: BaseDatabaseWrapper, *, idle: int, lock: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{idle}s'")
            cursor.execute(f"SET lock_timeout = '{lock}s'")


connection_created.connect(set_transaction_timeouts, dispatch_uid="set_transaction_timeouts")
pre_migrate.connect(relax_timeouts_before_migrating, dispatch_uid="relax_timeouts_before_migrating")
post_migrate.connect(restore_timeouts, dispatch_uid="restore_timeouts")
