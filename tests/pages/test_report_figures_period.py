"""The period that an address asks for."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from integrations.pages.report_figures import DEFAULT_DAYS, MOST_DAYS, Period, asked_period


@pytest.mark.parametrize("parameters", [{}, {"since": "soon", "until": ""}, {"until": "0001-01-01"}])
def test_the_period_is_the_last_ninety_days_when_the_address_states_none(parameters) -> None:
    today = timezone.localdate()
    period, correction = asked_period(parameters)
    assert period == Period(today - timedelta(days=DEFAULT_DAYS - 1), today)
    assert not correction


def test_the_period_has_both_days_when_the_address_states_them() -> None:
    period, _ = asked_period({"since": "2026-01-31", "until": "2026-03-01"})
    assert period == Period(date(2026, 1, 31), date(2026, 3, 1))
    assert period.days == 30


def test_the_period_ends_today_when_the_address_states_a_later_day() -> None:
    period, _ = asked_period({"until": "9999-12-31"})
    assert period.last == timezone.localdate()


def test_the_period_is_cut_when_it_is_too_long() -> None:
    period, correction = asked_period({"since": "1990-01-01", "until": "2026-03-01"})
    assert period.days == MOST_DAYS
    assert "at most" in correction


def test_the_last_day_alone_is_shown_when_the_first_is_after_it() -> None:
    period, correction = asked_period({"since": "2026-03-02", "until": "2026-03-01"})
    assert period == Period(date(2026, 3, 1), date(2026, 3, 1))
    assert correction
