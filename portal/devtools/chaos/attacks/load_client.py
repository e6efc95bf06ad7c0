"""A client that sends attempts, and whether the times of their answers tell anything."""

import http.client
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from portal.devtools.chaos.attacks.generator import Attempt

SIGNIFICANT = 0.001
NOTICEABLE = 20.0  # microseconds


@dataclass(frozen=True)
class Difference:
    """How many microseconds longer one request took than another, for pairs sent right after each other."""

    microseconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median over the pairs."""
        return statistics.median(self.microseconds) if self.microseconds else 0.0

    @property
    def p(self) -> float:
        """The probability that chance alone makes one side the longer one so often: the two-sided sign test."""
        longer = sum(one > 0 for one in self.microseconds)
        return sign_test(longer, sum(one < 0 for one in self.microseconds))

    @property
    def is_measurable(self) -> bool:
        """Whether the difference is neither chance nor too small to be of use."""
        return self.p < SIGNIFICANT and abs(self.median) > NOTICEABLE


def sign_test(longer: int, shorter: int) -> float:
    """Return the two-sided probability that tosses of a fair coin are split so unevenly, or more so."""
    tosses = longer + shorter
    tail, ways = 0, 1
    for count in range(min(longer, shorter) + 1):
        tail += ways
        ways = ways * (tosses - count) // (count + 1)
    return min(1.0, 2 * tail / (1 << tosses))


def compare(
    make_pair: Callable[[], tuple[Callable[[], float], Callable[[], float]]],
    pairs: int,
    chance: random.Random,
) -> Difference:
    """Return how many seconds longer the first of each pair took than the second, sent in either order."""
    microseconds = []
    for _ in range(pairs):
        pair = make_pair()
        seconds = [0.0, 0.0]
        for index in chance.sample((0, 1), 2):
            seconds[index] = pair[index]()
        microseconds.append((seconds[0] - seconds[1]) * 1e6)
    return Difference(tuple(microseconds))


def is_confirmed(passes: Sequence[Difference]) -> bool:
    """Whether two passes measure a difference in the same direction; one alone may be the machine's noise."""
    return (
        len(passes) > 1
        and all(one.is_measurable for one in passes)
        and len({one.median > 0 for one in passes}) == 1
    )


RESPONSE_SECONDS = 30.0
TRIES = 2  # a server may close a kept-alive connection just when it is used again
BROKEN = 0  # the status of a broken connection


@dataclass
class Answers:
    """How attempts were answered, how fast, and which answers the contract doesn't allow."""

    seconds: dict[int, list[float]] = field(default_factory=dict)  # by status
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    count: int = 0

    def record(self, attempt: Attempt, status: int, seconds: float) -> None:
        """Add one answer."""
        self.count += 1
        self.kinds[attempt.kind] += 1
        self.seconds.setdefault(status, []).append(seconds)
        if status not in attempt.expected:
            self.wrong[f"{attempt.kind}: {status or 'broken connection'}"] += 1

    def percentile_ms(self, status: int, share: float) -> float:
        """Return the milliseconds within which a share of the answers with a status came."""
        ordered = sorted(self.seconds[status])
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    def merge(self, other: "Answers") -> None:
        """Add another client's answers."""
        self.count += other.count
        self.kinds += other.kinds
        self.wrong += other.wrong
        for status, seconds in other.seconds.items():
            self.seconds.setdefault(status, []).extend(seconds)


class LoadClient:
    """One kept-alive connection; a context manager that closes it."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=RESPONSE_SECONDS)
        self.answers = Answers()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, attempt: Attempt) -> tuple[int, float]:
        """Return the status, BROKEN if the connection broke, and the seconds until the whole answer was read."""
        status, seconds = BROKEN, 0.0
        for _ in range(TRIES):
            began = time.perf_counter()
            try:
                self._connection.request("POST", attempt.path, attempt.body, attempt.headers)
                response = self._connection.getresponse()
                response.read()
                status = response.status
            except (http.client.HTTPException, OSError):
                self._connection.close()
            seconds = time.perf_counter() - began
            if status != BROKEN:
                break
        self.answers.record(attempt, status, seconds)
        return status, seconds

    def send_many(self, make: Callable[[], Attempt], count: int) -> None:
        """Send so many attempts as fast as they are answered, then close the connection."""
        with self:
            for _ in range(count):
                self.send(make())
