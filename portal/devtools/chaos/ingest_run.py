"""The door under kills: web workers are killed and the database restarts; every 2xx has to have its row."""

import statistics
import threading
import time
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import requests

from integrations.lever.payloads import dedupe_key
from integrations.lever.signature import sign
from integrations.models import Delivery, LeverWebhook, Organization
from portal.devtools.chaos import collect, quiesce, tenants
from portal.devtools.chaos.faults import Interruption, Interruptions
from portal.devtools.chaos.run import Run
from portal.devtools.chaos.table import Table
from portal.devtools.sandbox.json_values import JsonObject

CLIENTS = 8
ANSWER_SECONDS = 30.0  # more than SQLite's writers wait for each other
BACK_WITHIN = 5.0  # seconds after the database
MOST_SECONDS = 0.5  # for 99 of 100 answers, where nothing is taken away
LEAST_SHARE = 0.8  # of the rate, with Redis away


@dataclass
class Answers:
    """What the clients were told, and when."""

    accepted: dict[str, float] = field(default_factory=dict)  # by dedupe key
    seconds: list[float] = field(default_factory=list)  # each acceptance took
    others: Counter[str] = field(default_factory=Counter)

    @property
    def wrong(self) -> dict[str, int]:
        """What the door should never have answered."""
        return {
            name: count for name, count in self.others.items() if name not in {"503", "broken connection"}
        }


class Client(threading.Thread):
    """Lever, as fast as it is answered."""

    def __init__(self, url: str, token: str, stage_id: str, answers: Answers, until: float) -> None:
        super().__init__(name="client", daemon=True)
        self._url, self._token, self._stage_id = url, token, stage_id
        self._answers, self._until = answers, until

    def run(self) -> None:
        """Post until the time is up."""
        session = requests.Session()
        while time.monotonic() < self._until:
            payload = stage_change(self._token, self._stage_id)
            sent = time.monotonic()
            try:
                status = session.post(self._url, json=payload, timeout=ANSWER_SECONDS).status_code
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                status = 0
            except requests.RequestException as error:
                self._answers.others[type(error).__name__] += 1
                continue
            if status in {200, 202}:
                self._answers.accepted[dedupe_key(payload)] = time.time()
                self._answers.seconds.append(time.monotonic() - sent)
            else:
                self._answers.others[str(status) if status else "broken connection"] += 1
                time.sleep(0.05)


def stage_change(signature_token: str, stage_id: str) -> JsonObject:
    """Return a stage change of somebody new, freshly signed."""
    token, at = uuid.uuid4().hex + uuid.uuid4().hex[:16], int(time.time() * 1000)
    return {
        "id": str(uuid.uuid4()),
        "event": "candidateStageChange",
        "triggeredAt": at,
        "token": token,
        "signature": sign(token, at, signature_token),
        "data": {"opportunityId": str(uuid.uuid4()), "toStageId": stage_id},
    }


class Accept(Run):
    """One run of posting, killing and counting."""

    def _prepare(self) -> None:
        self._turns: list[tuple[float, float, float]] = []  # Redis there from, away from, back at
        self._interruptions = Interruptions(self._programs, self._options, only="web")

    def run(self) -> Table:
        """Post for as long as was asked, and look for every row."""
        organization = Organization.objects.get(slug=tenants.slugs(1)[0])
        token = LeverWebhook.objects.get(organization=organization).signature_token
        path = organization.lever_webhook_url.removeprefix(self._stage.portal_url)
        answers, until = Answers(), time.monotonic() + self._options.accept
        target = (self._stage.portal_url + path, token, self._uninteresting(organization.slug))
        clients = [Client(*target, answers, until) for _ in range(CLIENTS)]
        self._interruptions.start()
        for client in clients:
            client.start()
        self._come_and_go(until)
        for client in clients:
            client.join()
        self._interruptions.stop()
        self._say("The time is up; looking for every row.")
        rows = set(quiesce.patiently(lambda: list(Delivery.objects.values_list("dedupe_key", flat=True))))
        return self._table(answers, rows, quiesce.patiently(collect.finishes))

    def _come_and_go(self, until: float) -> None:
        """Take Redis away and bring it back in turns, so that a noisy machine harms both alike."""
        redis, seconds = self._programs.redis, self._options.redis_away
        if redis is None:
            return
        while time.monotonic() + 2 * seconds < until:
            there = time.time()
            time.sleep(seconds)
            redis.cut()
            away = time.time()
            time.sleep(seconds)
            redis.mend()
            self._turns.append((there, away, time.time()))

    def _uninteresting(self, slug: str) -> str:
        """Return a stage in which nobody is invited: this run is about the door."""
        answer = requests.get(f"{self._stage.lever_url}/_control/accounts/{slug}", timeout=ANSWER_SECONDS)
        return next(str(row["id"]) for row in answer.json()["stages"] if row["text"] == tenants.OTHER)

    def _table(self, answers: Answers, rows: set[str], finished: list[float]) -> Table:
        seen = self._interruptions.seen
        missing = sorted(answers.accepted.keys() - rows)
        doors = waits(seen, sorted(answers.accepted.values()))
        work = waits(seen, finished)
        quickness = percentiles(answers.seconds)
        share = rate_while_away(self._turns, sorted(answers.accepted.values()))
        broken = {}
        if missing:
            broken["accepted_without_a_row"] = missing
        wrong = answers.wrong if seen else dict(answers.others)
        if wrong:
            broken["answers"] = [f"{name} ({count})" for name, count in wrong.items()]
        if not seen and quickness["99"] > MOST_SECONDS:
            broken["slow"] = [f"{quickness['99']:.2f} s"]
        if share is not None and share < LEAST_SHARE:
            broken["slow_without_redis"] = [f"{share:.2f}"]
        if max(doors, default=0.0) > BACK_WITHIN:
            broken["late_after_the_database"] = [f"{wait:.1f} s" for wait in doors if wait > BACK_WITHIN]
        kinds = [item.kind for item in seen]
        return Table(
            f"Accepting for {self._options.accept:g} s with {CLIENTS} clients, "
            f"a web worker killed every {self._options.kill_every:g} s",
            {
                "accepted": len(answers.accepted),
                "accepted_per_second": len(answers.accepted) / self._options.accept,
                "accepted_without_a_row": len(missing),
                "other_answers": dict(answers.others),
                "answers_that_must_not_be": sum(wrong.values()),
                **{f"seconds_of_{name}_percent": seconds for name, seconds in quickness.items()},
                **({} if share is None else {"rate_with_redis_away_over_there": share}),
                "interruptions": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
                "seconds_from_the_database_to_a_2xx": max(doors, default=0.0),
                "seconds_from_the_database_to_work_done": max(work, default=0.0),
            },
            broken,
        )


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return the time within which half, 99 % and all were answered."""
    ordered = sorted(seconds) or [0.0]
    return {str(share): ordered[(len(ordered) - 1) * share // 100] for share in (50, 99, 100)}


def rate_while_away(turns: list[tuple[float, float, float]], moments: list[float]) -> float | None:
    """Return the rate of acceptances with Redis away over that with it there, the median of all turns."""
    shares = []
    for there, away, back in turns:
        before = (bisect_left(moments, away) - bisect_left(moments, there)) / (away - there)
        meanwhile = (bisect_left(moments, back) - bisect_left(moments, away)) / (back - away)
        shares.append(meanwhile / max(before, 1e-9))
    return statistics.median(shares) if shares else None


def waits(interruptions: Iterable[Interruption], moments: list[float]) -> list[float]:
    """Return the time from each return of the database to the next moment in an ordered list."""
    found = []
    for item in interruptions:
        place = bisect_left(moments, item.over_at)
        if item.over_at and place < len(moments):
            found.append(moments[place] - item.over_at)
    return found
