"""What interrupts the portal's parts while candidates move: a table, and the thread that goes through it."""

import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
import redis
from django.conf import settings
from django.db import OperationalError, connection, connections

from integrations.queue.models.nodes import Heartbeat
from integrations.store.leasing import LEASE
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.processes import WORKERS, Processes
from portal.process.startup import queue_cluster
from portal.process.supervisor import Program, Supervisor

logger = logging.getLogger(__name__)


def flush_redis(options: Options) -> None:
    """Empty the run's Redis database, if it has one."""
    if options.redis_url:
        with redis.Redis.from_url(options.redis_url) as connection:
            connection.flushdb()


#: Seconds for which nothing of the portal runs in a restart, and within which all of it has ended after TERM.
AWAY_SECONDS, PROMISED_SECONDS = 3.0, 30.0
#: Seconds for which a frozen cluster sleeps: its leases are over, and others have taken its rows.
FREEZE_SECONDS = LEASE.total_seconds() + 10
#: The longest that a run waits for an interruption that was begun.
LONGEST_SECONDS = FREEZE_SECONDS + 60


@dataclass(frozen=True)
class Interruption:
    """What was interrupted, and when."""

    what: str
    at: float
    #: Whether it can end a call of the workers without its answer; after TERM they wait for it.
    loses_answers: bool = False


class FaultInjector(threading.Thread):
    """Makes the interruptions of the table in turns, at regular intervals, until it is stopped."""

    def __init__(self, processes: Processes, options: Options) -> None:
        super().__init__(name="fault injector", daemon=True)
        self.interruptions: list[Interruption] = []
        #: How long each end after TERM took.
        self.term_seconds: list[float] = []
        self._processes = processes
        self._options = options
        self._random = random.Random(options.seed)  # noqa: S311
        self._stopping = threading.Event()

    def run(self) -> None:
        """Interrupt until stopped; what was begun is ended."""
        turn = 0
        while self._options.kill_every and not self._stopping.wait(self._options.kill_every):
            turn += 1
            for row in table_of(self._options):
                if row.is_due(turn) and row.is_possible(self._options):
                    try:
                        row.make(self)
                    except (psycopg.Error, redis.RedisError):
                        logger.warning("%s could not be done.", row.what, exc_info=True)

    def stop(self) -> None:
        """Interrupt no more."""
        self._stopping.set()
        self.join(timeout=LONGEST_SECONDS)

    def kill(self) -> None:
        """SIGKILL a process of the workers or of the web server."""
        if program := self._processes.kill(self._random):
            self._record(program, time.time(), loses_answers=program == WORKERS)

    def restart(self) -> None:
        """Send the whole portal TERM, and start it again later: what is moved meanwhile, no webhook tells."""
        at = time.time()
        self._processes.stop_portal()
        self.term_seconds.append(time.time() - at)
        self._stopping.wait(AWAY_SECONDS)
        self._processes.start_portal()
        self._record("portal restarted", at)

    def freeze(self) -> None:
        """Let the workers sleep through their leases while others work; then they go on with what they held."""
        with _frozen(self._processes) as at:
            if at is None:
                return
            with Supervisor([Program("others", queue_cluster().argv)]):
                time.sleep(FREEZE_SECONDS)
        self._record("frozen workers", at, loses_answers=True)

    def cut(self) -> None:
        """End every connection to the run's database, as clients see it when the server restarts."""
        with psycopg.connect(self._options.database_url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [settings.DATABASES["default"]["NAME"]],
            )
        self._record("database", time.time())

    def empty_redis(self) -> None:
        """Empty Redis."""
        flush_redis(self._options)
        self._record("redis", time.time())

    def _record(self, what: str, at: float, *, loses_answers: bool = False) -> None:
        self.interruptions.append(Interruption(what, at, loses_answers))


@dataclass(frozen=True)
class Row:
    """One row of the table: how it is done, in which turn first, and every how many turns again; 0 for once."""

    what: str
    make: Callable[[FaultInjector], None]
    first: int = 1
    every: int = 0
    is_possible: Callable[[Options], object] = lambda _: True

    def is_due(self, turn: int) -> bool:
        """Whether it is its turn."""
        return turn == self.first or (
            turn > self.first and self.every > 0 and not (turn - self.first) % self.every
        )


TABLE = (
    Row("kill", FaultInjector.kill, every=1),
    Row("restart", FaultInjector.restart, first=4, every=60),
    Row("cut", FaultInjector.cut, first=6, every=6, is_possible=lambda options: options.database_url),
    Row("empty Redis", FaultInjector.empty_redis, first=7, is_possible=lambda options: options.redis_url),
    Row("freeze", FaultInjector.freeze, first=10, is_possible=lambda options: options.freeze),
)


def table_of(options: Options) -> tuple[Row, ...]:
    """Return the rows of a run: with `restarts` TERM alone, so that nothing else can leave an invitation uncertain."""
    return (Row("restart", FaultInjector.restart, every=1),) if options.restarts else TABLE


@contextmanager
def _frozen(processes: Processes) -> Iterator[float | None]:
    """Freeze the workers' process group, and yield when; None when there is none."""
    group = processes.group(WORKERS)
    try:
        at = _freeze(group) if group else None
    except ProcessLookupError:
        at = None
    yield at
    if group and at:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGCONT)


def _freeze(group: int) -> float:
    """Stop the group, but not while it holds SQLite's write lock, which no server would end for the others."""
    while True:
        os.killpg(group, signal.SIGSTOP)
        at = time.time()
        if _is_writable():
            return at
        os.killpg(group, signal.SIGCONT)
        time.sleep(0.05)


def _is_writable() -> bool:
    """Whether no process holds SQLite's write lock; a server's locks are a row's, or end with their transaction."""
    if not settings.IS_SQLITE:
        return True
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout=500")
        Heartbeat.beat()
    except OperationalError:
        return False
    finally:
        connections.close_all()
    return True
