"""What goes wrong: the platforms' faults as rules for the sandbox, and interruptions of the portal's own parts."""

import logging
import random
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Any

import psycopg
import redis
import requests

from portal.devtools.chaos import environment
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.processes import Programs
from portal.devtools.demo.environment import Stage
from portal.devtools.demo.provisioning import SECONDS

logger = logging.getLogger(__name__)

#: Faults by weight. Those "after" strike when the effect has taken place: half of what fails has happened.
MIX: tuple[tuple[float, dict[str, Any]], ...] = (
    (1.0, {"kind": "status", "status": 429}),
    (0.3, {"kind": "status", "status": 429, "retry_after": 1}),
    (0.8, {"kind": "status", "status": 500}),
    (0.5, {"kind": "status", "status": 502}),
    (1.0, {"kind": "status", "status": 503}),
    (0.5, {"kind": "status", "status": 504}),
    (0.8, {"kind": "reset_before"}),
    (0.3, {"kind": "html"}),
    (0.15, {"kind": "timeout_before"}),
    (0.8, {"kind": "status_after", "status": 500}),
    (0.6, {"kind": "status_after", "status": 502}),
    (0.6, {"kind": "status_after", "status": 504}),
    (1.0, {"kind": "reset_after"}),
    (0.8, {"kind": "truncated"}),
    (0.6, {"kind": "html_after"}),
    (0.15, {"kind": "timeout_after"}),
)
API = "^/(v1|api)/"  # not the token endpoint: a lost answer there ends a grant, which only a person mends
CUT_EVERY = 6  # kills
RESTART_EVERY = 20.0  # seconds
HOLD_MS = int(environment.READ_SECONDS * 1000) + 1500


def rules(share: float) -> list[dict[str, Any]]:
    """Return rules that make `share` of the calls go wrong; the sandbox tries them one after another."""
    total, left, made = sum(weight for weight, _ in MIX), 1.0, []
    for weight, fault in MIX:
        wanted = share * weight / total
        hold = {"delay_ms": HOLD_MS} if fault["kind"].startswith("timeout") else {}
        made.append({"path": API, "probability": wanted / left, **fault, **hold})
        left -= wanted
    return made


def begin(stage: Stage, options: Options) -> None:
    """Let the calls to both platforms go wrong from now on."""
    for number, address in enumerate((stage.lever_url, stage.codescreen_url)):
        document = {"seed": options.seed * 2 + number, "rules": rules(options.faults)}
        requests.post(f"{address}/_control/faults", json=document, timeout=SECONDS).raise_for_status()


def end(stage: Stage) -> None:
    """Let both platforms be well again."""
    for address in (stage.lever_url, stage.codescreen_url):
        requests.delete(f"{address}/_control/faults", timeout=SECONDS).raise_for_status()


@dataclass(frozen=True)
class Interruption:
    """Something of the portal's that was taken away, and when."""

    kind: str  # web, workers, database, restart, redis, redis away
    at: float
    over_at: float = 0.0  # when it was back, where that is known


class Interruptions(threading.Thread):
    """Kills and cuts at regular times until it is told to stop; kills of one program alone where it is named."""

    def __init__(self, programs: Programs, options: Options, only: str = "") -> None:
        super().__init__(name="interruptions", daemon=True)
        self.seen: list[Interruption] = []
        self._programs = programs
        self._options = options
        self._only = only
        self._restarted = time.monotonic()
        self._away_since = 0.0
        self._random = random.Random(options.seed)  # noqa: S311
        self._stopping = threading.Event()
        self._turns = 0

    def run(self) -> None:
        """Interrupt until stopped."""
        while self._options.kill_every and not self._stopping.wait(self._options.kill_every):
            self._turns += 1
            self._note(self._programs.kill(self._random, self._only))
            try:
                self._cut()
            except (psycopg.Error, redis.RedisError, subprocess.TimeoutExpired):
                logger.warning("A cut could not be made.", exc_info=True)

    def stop(self) -> None:
        """Interrupt no more."""
        self._stopping.set()
        self.join(timeout=environment.RESTART_SECONDS)
        self._bring_redis_back()

    def _cut(self) -> None:
        self._take_redis_away()
        if self._options.database_url and self._turns % CUT_EVERY == 0:
            self._interrupt_database()
        if self._options.redis_url and self._turns == CUT_EVERY + 1:
            environment.flush(self._options)
            self._note("redis")

    def _interrupt_database(self) -> None:
        if not self._options.restart_database:
            at = time.time()
            environment.cut_connections(self._options)
            self.seen.append(Interruption("database", at, time.time()))
        elif time.monotonic() - self._restarted > RESTART_EVERY:
            self._restarted = time.monotonic()
            at = time.time()
            self.seen.append(Interruption("restart", at, environment.restart_database(self._options)))

    def _take_redis_away(self) -> None:
        """Cut it off for so long, once, and bring it back."""
        if self._programs.redis is None:
            return
        if self._turns == CUT_EVERY + 2:
            self._programs.redis.cut()
            self._away_since = time.time()
        elif time.time() - self._away_since > self._options.redis_away:
            self._bring_redis_back()

    def _bring_redis_back(self) -> None:
        if self._programs.redis is not None and self._away_since:
            self._programs.redis.mend()
            self.seen.append(Interruption("redis away", self._away_since, time.time()))
            self._away_since = 0.0

    def _note(self, kind: str) -> None:
        if kind:
            self.seen.append(Interruption(kind, time.time()))
