"""Durations in words."""

import pytest

from integrations.pages.durations import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.24, "0.2 s"), (45, "45 s"), (600, "10 min"), (10_000, "3 h"), (400_000, "5 days")],
)
def test_a_duration_is_shown_in_its_largest_unit(seconds, words):
    assert duration(seconds) == words
