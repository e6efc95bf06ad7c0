"""Days that addresses and forms state, and how pages say how long something took or ago it was."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from integrations.pages.times import Times, midnight, parse_day
from portal.templatetags.parts import ago, ahead, lasting


def test_a_day_begins_at_midnight_of_the_reader() -> None:
    day = parse_day(" 2026-03-01 ")
    assert day == date(2026, 3, 1)
    with timezone.override("Europe/Berlin"):
        assert midnight(day) == datetime(2026, 2, 28, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "median", "most"),
    [([], None, None), ([5], 5, 5), ([-3], 0, 0), ([*range(1, 100), 9_999], 50.5, 95)],
)
def test_times_have_a_median_and_what_95_percent_took_at_most(seconds, median, most):
    times = Times.of(seconds)
    assert (times and times.median, times and times.most) == (median, most)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.24, "1 second"),
        (4.2, "5 seconds"),
        (600, "10 minutes"),
        (10_000, "2 hours"),
        (950_000, "10 days"),
    ],
)
def test_how_long_it_took_is_said_in_one_unit(seconds, words):
    assert lasting(seconds) == words


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (-60 * 24 * 10.5, "10 days ago"),
        (-0.9, "just now"),
        (0.5, "in less than a minute"),
        (181, "in 3 hours"),
    ],
)
def test_a_time_is_told_from_now_in_one_unit(minutes, words):
    at = timezone.now() + timedelta(minutes=minutes)
    assert (ago if minutes < 0 else ahead)(at) == words
