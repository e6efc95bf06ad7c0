"""Interruptions of the portal's own parts: killed processes, database connections, Redis."""

import logging
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import psycopg
import redis

from portal.devtools.chaos import environment
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.processes import Processes

logger = logging.getLogger(__name__)

DATABASE_EVERY = 6  # kills
RESTART_EVERY = 20.0  # seconds
FLUSH_AT, OUTAGE_AT = DATABASE_EVERY + 1, DATABASE_EVERY + 2  # kills


class Interrupted(StrEnum):
    """What was interrupted, and how."""

    WEB = "web"
    WORKERS = "workers"
    DATABASE = "database"
    DATABASE_RESTART = "restart"
    REDIS_FLUSH = "redis"
    REDIS_OUTAGE = "redis outage"


@dataclass(frozen=True)
class Interruption:
    """One interruption and when it happened."""

    what: Interrupted
    at: float
    over_at: float = 0.0  # when the part was back, where that is known


def count_by_kind(interruptions: Iterable[Interruption]) -> dict[str, int]:
    """Return how many interruptions of each kind there were, by name."""
    return dict(sorted(Counter(str(item.what) for item in interruptions).items()))


class FaultInjector(threading.Thread):
    """Interrupts at regular intervals until it is stopped; with `only`, kills just that program's workers."""

    def __init__(self, processes: Processes, options: Options, only: str = "") -> None:
        super().__init__(name="fault injector", daemon=True)
        self.interruptions: list[Interruption] = []
        self._processes = processes
        self._options = options
        self._only = only
        self._restarted_at = time.monotonic()
        self._outage_began_at = 0.0
        self._random = random.Random(options.seed)  # noqa: S311
        self._stopping = threading.Event()
        self._kills = 0

    def run(self) -> None:
        """Interrupt until stopped."""
        while self._options.kill_every and not self._stopping.wait(self._options.kill_every):
            self._kills += 1
            program = self._processes.kill(self._random, self._only)
            if program:
                self._record(Interrupted(program), time.time())
            try:
                self._interrupt_servers()
            except (psycopg.Error, redis.RedisError, subprocess.TimeoutExpired):
                logger.warning("A server could not be interrupted.", exc_info=True)

    def stop(self) -> None:
        """Interrupt no more, and make Redis reachable again."""
        self._stopping.set()
        self.join(timeout=environment.RESTART_SECONDS)
        self._end_redis_outage()

    def _interrupt_servers(self) -> None:
        self._begin_or_end_redis_outage()
        if self._options.database_url and self._kills % DATABASE_EVERY == 0:
            self._interrupt_database()
        if self._options.redis_url and self._kills == FLUSH_AT:
            environment.flush_redis(self._options)
            self._record(Interrupted.REDIS_FLUSH, time.time())

    def _interrupt_database(self) -> None:
        at = time.time()
        if not self._options.restart_database:
            environment.cut_connections(self._options)
            self._record(Interrupted.DATABASE, at, time.time())
        elif time.monotonic() - self._restarted_at > RESTART_EVERY:
            self._restarted_at = time.monotonic()
            self._record(Interrupted.DATABASE_RESTART, at, environment.restart_database(self._options))

    def _begin_or_end_redis_outage(self) -> None:
        if self._processes.redis is None:
            return
        if self._kills == OUTAGE_AT:
            self._processes.redis.close()
            self._outage_began_at = time.time()
        elif time.time() - self._outage_began_at > self._options.redis_outage:
            self._end_redis_outage()

    def _end_redis_outage(self) -> None:
        if self._processes.redis is not None and self._outage_began_at:
            self._processes.redis.open()
            self._record(Interrupted.REDIS_OUTAGE, self._outage_began_at, time.time())
            self._outage_began_at = 0.0

    def _record(self, what: Interrupted, at: float, over_at: float = 0.0) -> None:
        self.interruptions.append(Interruption(what, at, over_at))
