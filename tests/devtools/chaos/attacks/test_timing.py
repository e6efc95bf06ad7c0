"""The statistics by which a difference in time counts as measurable."""

import random
from typing import Any

import pytest

from portal.devtools.chaos.attacks.timing import Difference, compare, is_confirmed, sign_test

NOISE = random.Random(1)


def noisy(shift: float, count: int = 1000, spread: float = 200.0) -> Difference:
    return Difference(tuple(NOISE.gauss(shift, spread) for _ in range(count)))


@pytest.mark.parametrize(
    ("longer", "shorter", "p"),
    [(0, 0, 1.0), (5, 5, 1.0), (0, 1, 1.0), (0, 5, 0.0625), (5, 0, 0.0625), (1, 9, 0.021484375)],
)
def test_the_sign_test_is_exact(longer, shorter, p):
    assert sign_test(longer, shorter) == pytest.approx(p)


def test_the_sign_test_copes_with_thousands_of_pairs():
    assert sign_test(2000, 2000) == 1.0
    assert 0.01 < sign_test(1930, 2070) < 0.05
    assert sign_test(1800, 2200) < 1e-9


def test_noise_is_confirmed_apart_from_a_difference():
    assert not noisy(0).is_measurable
    assert noisy(60).is_measurable
    assert noisy(-60).is_measurable
    assert not noisy(5, count=4000, spread=10).is_measurable  # real, and of no use to anybody
    assert not noisy(60, count=5).is_measurable
    assert not Difference(()).is_measurable


@pytest.mark.parametrize(
    ("shifts", "expected"), [((60,), False), ((60, 60), True), ((60, 0), False), ((60, -60), False)]
)
def test_a_difference_is_confirmed_by_two_passes_in_the_same_direction(shifts, expected):
    assert is_confirmed([noisy(shift) for shift in shifts]) is expected


def test_pairs_are_sent_in_either_order_and_compared_first_to_last():
    sent: list[str] = []

    def make_pair() -> Any:
        def send(name: str, seconds: float) -> float:
            sent.append(name)
            return seconds

        return lambda: send("first", 0.003), lambda: send("last", 0.001)

    difference = compare(make_pair, 40, random.Random(1))
    assert difference.median == pytest.approx(2000)
    assert (sent.count("first"), sent.count("last")) == (40, 40)
    assert 5 < sent[::2].count("first") < 35
