"""Webhooks accepted while web workers are killed and the database restarts: every 2xx has to have its row."""

import statistics
import time
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import requests

from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.payloads import dedupe_key, sign
from integrations.organizations.models.organization import Organization
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.environment import FaultInjector, Interruption, count_by_kind
from portal.devtools.chaos.processes import WEB
from portal.devtools.chaos.run import Run, Table, Verification, Violation
from portal.devtools.chaos.verification import finish_times
from portal.devtools.processes import run_in_threads
from portal.devtools.sandbox.values import JsonObject

RESPONSE_SECONDS = 30.0  # more than SQLite's writers wait for each other
BROKEN_CONNECTION = "broken connection"
ALLOWED_DURING_KILLS = frozenset({"503", BROKEN_CONNECTION})


@dataclass
class Answers:
    """The answers that all clients together got."""

    accepted_at: dict[str, float] = field(default_factory=dict)  # times by dedupe key
    accept_seconds: list[float] = field(default_factory=list)  # how long each acceptance took
    others: Counter[str] = field(default_factory=Counter)  # counts of all other answers, by status or error

    @property
    def not_allowed(self) -> dict[str, int]:
        """The answers that must not be given, even while processes are killed."""
        return {name: count for name, count in self.others.items() if name not in ALLOWED_DURING_KILLS}


@dataclass(frozen=True)
class IngestClient:
    """One client: where it posts, and until when."""

    url: str
    signature_token: str
    stage_id: str
    answers: Answers
    until: float

    def run(self) -> None:
        """Post webhooks until the time is up."""
        session = requests.Session()
        while time.monotonic() < self.until:
            payload = make_stage_change(self.signature_token, self.stage_id)
            sent_at = time.monotonic()
            try:
                status = session.post(self.url, json=payload, timeout=RESPONSE_SECONDS).status_code
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                self._record_failure(BROKEN_CONNECTION)
            except requests.RequestException as error:
                self.answers.others[type(error).__name__] += 1
            else:
                if status in {200, 202}:
                    self.answers.accepted_at[dedupe_key(payload)] = time.time()
                    self.answers.accept_seconds.append(time.monotonic() - sent_at)
                else:
                    self._record_failure(str(status))

    def _record_failure(self, name: str) -> None:
        self.answers.others[name] += 1
        time.sleep(0.05)


def make_stage_change(signature_token: str, stage_id: str) -> JsonObject:
    """Return a new, signed stage change of an opportunity that doesn't exist."""
    token, triggered_at = uuid.uuid4().hex + uuid.uuid4().hex[:16], int(time.time() * 1000)
    return {
        "id": str(uuid.uuid4()),
        "event": "candidateStageChange",
        "triggeredAt": triggered_at,
        "token": token,
        "signature": sign(token, triggered_at, signature_token),
        "data": {"opportunityId": str(uuid.uuid4()), "toStageId": stage_id},
    }


@dataclass(frozen=True)
class RedisTurn:
    """A while with Redis, then as long without it: when the first began, the second began, and it ended."""

    began: float
    closed: float
    reopened: float


def percentiles(seconds: Iterable[float]) -> dict[int, float]:
    """Return the time within which 50, 99 and 100 percent were answered."""
    ordered = sorted(seconds) or [0.0]
    return {share: ordered[(len(ordered) - 1) * share // 100] for share in (50, 99, 100)}


def rate_during_outages(turns: Iterable[RedisTurn], accepted_at: Sequence[float]) -> float | None:
    """Return the rate of acceptances without Redis over that with it, the median of all turns; None without turns."""
    ratios = []
    for turn in turns:
        with_redis = _count_between(accepted_at, turn.began, turn.closed) / (turn.closed - turn.began)
        without = _count_between(accepted_at, turn.closed, turn.reopened) / (turn.reopened - turn.closed)
        ratios.append(without / max(with_redis, 1e-9))
    return statistics.median(ratios) if ratios else None


def _count_between(ordered: Sequence[float], begin: float, end: float) -> int:
    return bisect_left(ordered, end) - bisect_left(ordered, begin)


def recovery_times(interruptions: Iterable[Interruption], ordered: Sequence[float]) -> list[float]:
    """Return the seconds from each return of the database or Redis to the next moment in an ordered list."""
    recoveries = []
    for interruption in interruptions:
        index = bisect_left(ordered, interruption.over_at)
        if interruption.over_at and index < len(ordered):
            recoveries.append(ordered[index] - interruption.over_at)
    return recoveries


CLIENTS = 8
MOST_RECOVERY_SECONDS = 5.0  # after the database is back
MOST_P99_SECONDS = 0.5  # without interruptions
LEAST_RATE_WITHOUT_REDIS = 0.8  # of the rate with Redis


class IngestRun(Run):
    """One run of posting, killing and counting."""

    def _prepare(self) -> None:
        self._redis_turns: list[RedisTurn] = []
        self._fault_injector = FaultInjector(self._processes, self._options, only=WEB)

    def run(self) -> Table:
        """Post webhooks for the time that was asked, and look for the row of each that was accepted."""
        organization = Organization.objects.get(slug=tenants.slugs(1)[0])
        token = LeverWebhook.objects.get(organization=organization).signature_token
        path = organization.lever_webhook_url.removeprefix(self._environment.portal_url)
        # a stage in which nobody is invited: the run is about accepting alone
        stage_id = tenants.stage_id(self._lever, organization.slug, tenants.OTHER)
        answers, until = Answers(), time.monotonic() + self._options.ingest
        client = IngestClient(self._environment.portal_url + path, token, stage_id, answers, until)
        self._fault_injector.start()
        run_in_threads([client.run] * CLIENTS + [lambda: self._take_redis_away_in_turns(until)])
        self._fault_injector.stop()
        self._log("The time is up; looking for every row.")
        keys = Delivery.objects.values_list("dedupe_key", flat=True)
        stored = set(quiesce.read_with_retry(lambda: list(keys)))
        return self._table(answers, stored, quiesce.read_with_retry(finish_times))

    def _take_redis_away_in_turns(self, until: float) -> None:
        """Make Redis unreachable and reachable in turns, so that a busy machine slows both alike."""
        redis, seconds = self._processes.redis, self._options.redis_outage
        if redis is None:
            return
        while time.monotonic() + 2 * seconds < until:
            began = time.time()
            time.sleep(seconds)
            redis.close()
            closed = time.time()
            time.sleep(seconds)
            redis.open()
            self._redis_turns.append(RedisTurn(began, closed, time.time()))

    def _table(self, answers: Answers, stored: Collection[str], finished: list[float]) -> Table:
        interruptions = self._fault_injector.interruptions
        accepted_at = sorted(answers.accepted_at.values())
        missing = sorted(answers.accepted_at.keys() - set(stored))
        accept_recoveries = recovery_times(interruptions, accepted_at)
        work_recoveries = recovery_times(interruptions, finished)
        latencies = percentiles(answers.accept_seconds)
        rate_without_redis = rate_during_outages(self._redis_turns, accepted_at)
        wrong = answers.not_allowed if interruptions else dict(answers.others)
        verification = Verification()
        verification.record_violation(Violation.ACCEPTED_WITHOUT_ROW, *missing)
        verification.record_violation(
            Violation.WRONG_ANSWERS, *(f"{name} ({count})" for name, count in wrong.items())
        )
        if not interruptions and latencies[99] > MOST_P99_SECONDS:
            verification.record_violation(Violation.SLOW, f"{latencies[99]:.2f} s")
        if rate_without_redis is not None and rate_without_redis < LEAST_RATE_WITHOUT_REDIS:
            verification.record_violation(Violation.SLOW_WITHOUT_REDIS, f"{rate_without_redis:.2f}")
        late = [f"{seconds:.1f} s" for seconds in accept_recoveries if seconds > MOST_RECOVERY_SECONDS]
        verification.record_violation(Violation.LATE_AFTER_DATABASE, *late)
        rate = {} if rate_without_redis is None else {"rate_without_redis_over_with_it": rate_without_redis}
        figures = {
            "accepted": len(accepted_at),
            "accepted_per_second": len(accepted_at) / self._options.ingest,
            "accepted_without_a_row": len(missing),
            "other_answers": dict(answers.others),
            "answers_that_must_not_be": sum(wrong.values()),
            **{f"seconds_of_{share}_percent": seconds for share, seconds in latencies.items()},
            **rate,
            "interruptions": count_by_kind(interruptions),
            "seconds_from_the_database_to_a_2xx": max(accept_recoveries, default=0.0),
            "seconds_from_the_database_to_work_done": max(work_recoveries, default=0.0),
        }
        title = (
            f"Accepting for {self._options.ingest:g} s with {CLIENTS} clients, "
            f"a web worker killed every {self._options.kill_every:g} s"
        )
        return Table(title, figures, verification.broken)
