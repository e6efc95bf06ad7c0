"""Days that addresses and forms state, and durations as figures show them."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from integrations.invitations.models.candidate import Candidate
from integrations.pages.times import duration, midnight, parse_day, within_days


@pytest.mark.parametrize("text", ["", "today", "2026-13-01", "2026-02-30"])
def test_a_day_that_is_none_is_none(text: str) -> None:
    assert parse_day(text) is None


def test_a_day_begins_at_midnight_of_the_reader() -> None:
    day = parse_day(" 2026-03-01 ")
    assert day == date(2026, 3, 1)
    with timezone.override("Europe/Berlin"):
        assert midnight(day) == datetime(2026, 2, 28, 23, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("", "", 3),
        ("2026-03-02", "", 2),
        ("", "2026-03-02", 2),
        ("2026-03-02", "2026-03-02", 1),
        ("soon", "9999-12-31", 3),
    ],
)
def test_rows_are_of_whole_days_and_an_unreadable_day_filters_nothing(
    organization, since: str, until: str, found: int
) -> None:
    for day, hour in ((1, 12), (2, 23), (3, 0)):
        at = datetime(2026, 3, day, hour, tzinfo=UTC)
        Candidate.objects.create(organization=organization, opportunity_id=f"o-{day}", entered_at=at)
    with timezone.override("UTC"):
        assert within_days(Candidate.objects.all(), "entered_at", since, until).count() == found


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.24, "0.2 s"), (45, "45 s"), (600, "10 min"), (10_000, "3 h"), (400_000, "5 days")],
)
def test_a_duration_is_shown_in_its_largest_unit(seconds, words):
    assert duration(seconds) == words
