"""The period that an address asks for."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from integrations.pages.report import DEFAULT_DAYS, MOST_DAYS, Period, asked_period


@pytest.mark.parametrize("parameters", [{}, {"since": "soon", "until": ""}, {"until": "0001-01-01"}])
def test_the_period_is_the_last_ninety_days_when_the_address_states_none(parameters) -> None:
    today = timezone.localdate()
    assert asked_period(parameters) == Period(today - timedelta(days=DEFAULT_DAYS - 1), today)


def test_the_period_has_both_days_when_the_address_states_them() -> None:
    period = asked_period({"since": "2026-01-31", "until": "2026-03-01"})
    assert period == Period(date(2026, 1, 31), date(2026, 3, 1))


def test_the_period_ends_today_when_the_address_states_a_later_day() -> None:
    assert asked_period({"until": "9999-12-31"}).last == timezone.localdate()


def test_the_period_is_cut_when_it_is_too_long() -> None:
    last = date(2026, 3, 1)
    period = asked_period({"since": "1990-01-01", "until": "2026-03-01"})
    assert period == Period(last - timedelta(days=MOST_DAYS - 1), last)


def test_the_last_day_alone_is_shown_when_the_first_is_after_it() -> None:
    period = asked_period({"since": "2026-03-02", "until": "2026-03-01"})
    assert period == Period(date(2026, 3, 1), date(2026, 3, 1))
