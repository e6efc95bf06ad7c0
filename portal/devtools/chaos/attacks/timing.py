"""Whether the time an answer takes reveals how much of a guessed signature was right."""

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
