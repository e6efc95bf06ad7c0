"""Whether the time an answer takes tells how much of a guess was right."""

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SIGNIFICANT = 0.001
NOTICEABLE = 20.0  # microseconds


@dataclass(frozen=True)
class Difference:
    """How much longer the one took than the other, over pairs sent right after each other."""

    microseconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median over the pairs, in microseconds."""
        return statistics.median(self.microseconds) if self.microseconds else 0.0

    @property
    def p(self) -> float:
        """How often chance alone makes one side the longer one in so many pairs: the two-sided sign test."""
        longer = sum(one > 0 for one in self.microseconds)
        return sign_test(longer, sum(one < 0 for one in self.microseconds))

    @property
    def is_measurable(self) -> bool:
        """Whether it is neither chance nor too small for anybody to use."""
        return self.p < SIGNIFICANT and abs(self.median) > NOTICEABLE


def sign_test(longer: int, shorter: int) -> float:
    """Return the two-sided probability of so uneven a split, or a more uneven one, of a fair coin's throws."""
    throws = longer + shorter
    tail, ways = 0, 1
    for count in range(min(longer, shorter) + 1):
        tail += ways
        ways = ways * (throws - count) // (count + 1)
    return min(1.0, 2 * tail / (1 << throws))


def compare(
    prepare: Callable[[], tuple[Callable[[], float], Callable[[], float]]], pairs: int, chance: random.Random
) -> Difference:
    """Return how many seconds longer the first of each pair took than the second, sent in either order."""
    found = []
    for _ in range(pairs):
        pair = prepare()
        seconds = [0.0, 0.0]
        for place in chance.sample((0, 1), 2):
            seconds[place] = pair[place]()
        found.append((seconds[0] - seconds[1]) * 1e6)
    return Difference(tuple(found))


def is_told(passes: Sequence[Difference]) -> bool:
    """Whether both passes measure a difference in the same direction; one alone is the machine's noise."""
    return (
        len(passes) > 1
        and all(one.is_measurable for one in passes)
        and len({one.median > 0 for one in passes}) == 1
    )
