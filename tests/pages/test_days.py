"""Days that addresses and forms state."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from integrations.pages.days import midnight, parse_day


@pytest.mark.parametrize("text", ["", "today", "2026-13-01", "2026-02-30"])
def test_a_day_that_is_none_is_none(text: str) -> None:
    assert parse_day(text) is None


def test_a_day_begins_at_midnight_of_the_reader() -> None:
    day = parse_day(" 2026-03-01 ")
    assert day == date(2026, 3, 1)
    with timezone.override("Europe/Berlin"):
        assert midnight(day) == datetime(2026, 2, 28, 23, tzinfo=UTC)
