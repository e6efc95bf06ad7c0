"""When a send window opens next: hours, days and holidays, by the clocks of a time zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.core.rules.send_window import SendWindow, in_words, zone_names, zone_of

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
MONDAY, FRIDAY, SATURDAY, SUNDAY = 0, 4, 5, 6
OFFICE = SendWindow(time(8), time(20), frozenset(range(5)))
NIGHT = SendWindow(time(22), time(6), frozenset({FRIDAY}))


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def opening(window, text, zone=BERLIN):
    """Return when it opens next, by the clocks of the zone; now is by the same clocks."""
    return f"{window.opening(at(text, zone), zone).astimezone(zone):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-12-04T12:34", "2026-12-04 12:34"),  # a Friday
        ("2026-12-04T08:00", "2026-12-04 08:00"),
        ("2026-12-04T07:59:59", "2026-12-04 08:00"),
        ("2026-12-04T19:59", "2026-12-04 19:59"),
        ("2026-12-04T20:00", "2026-12-07 08:00"),
        ("2026-12-06T10:00", "2026-12-07 08:00"),
        ("2026-12-31T22:00", "2027-01-01 08:00"),
    ],
)
def test_it_opens_at_its_hour_of_the_next_of_its_days(now, opens):
    assert opening(OFFICE, now) == opens


def test_the_hours_are_those_of_the_zone():
    now = at("2026-12-04T14:00")
    assert OFFICE.opening(now, BERLIN) == now
    assert OFFICE.opening(now, NEW_YORK) == now  # there it is 08:00
    assert OFFICE.opening(now - timedelta(minutes=1), NEW_YORK) == now
    assert OFFICE.opening(now, ZoneInfo("Asia/Tokyo")) == at("2026-12-07T08:00", ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-12-04T21:00", "2026-12-04 22:00"),
        ("2026-12-04T23:00", "2026-12-04 23:00"),
        ("2026-12-05T05:59", "2026-12-05 05:59"),
        ("2026-12-05T06:00", "2026-12-11 22:00"),
        ("2026-12-04T05:00", "2026-12-04 22:00"),  # Thursday's night isn't one of its nights
    ],
)
def test_over_midnight_it_belongs_to_the_day_on_which_it_opens(now, opens):
    assert opening(NIGHT, now) == opens


def test_the_same_hour_twice_is_a_whole_day():
    whole = SendWindow(time(0), time(0), frozenset({MONDAY}))
    assert opening(whole, "2026-12-07T23:59") == "2026-12-07 23:59"
    assert opening(whole, "2026-12-08T00:00") == "2026-12-14 00:00"


def test_nothing_is_sent_on_a_holiday():
    closed = SendWindow(
        OFFICE.opens, OFFICE.closes, OFFICE.days, frozenset({date(2027, 1, 1), date(2026, 12, 25)})
    )
    assert opening(closed, "2026-12-24T20:30") == "2026-12-28 08:00"
    assert opening(closed, "2026-12-31T20:30") == "2027-01-04 08:00"
    assert opening(closed, "2026-12-25T12:00") == "2026-12-28 08:00"


def test_a_night_ends_where_a_holiday_begins_and_none_begins_on_one():
    every = SendWindow(NIGHT.opens, NIGHT.closes, frozenset(range(7)), frozenset({date(2026, 12, 25)}))
    assert opening(every, "2026-12-24T23:59") == "2026-12-24 23:59"
    assert opening(every, "2026-12-25T00:00") == "2026-12-26 22:00"
    assert opening(every, "2026-12-26T01:00") == "2026-12-26 22:00"


def test_a_full_list_of_holidays_only_takes_longer():
    mondays = frozenset(date(2026, 12, 7) + timedelta(days=7 * week) for week in range(400))
    window = SendWindow(time(8), time(20), frozenset({MONDAY}), mondays)
    assert opening(window, "2026-12-04T12:00") == "2034-08-07 08:00"


def test_a_window_without_days_is_an_error():
    with pytest.raises(ValueError, match="no days"):
        SendWindow(time(8), time(20), frozenset()).opening(at("2026-12-04T12:00"), BERLIN)


# the clocks are changed

EVERY_DAY = frozenset(range(7))


def test_an_hour_that_the_clocks_skip_is_the_first_moment_after_it():
    # at 02:00 on 29 March 2026 it is 03:00
    early = SendWindow(time(2, 30), time(4), EVERY_DAY)
    assert early.opening(at("2026-03-29T01:59"), BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert opening(early, "2026-03-29T01:59") == "2026-03-29 03:00"
    assert opening(early, "2026-03-28T12:00") == "2026-03-29 03:00"
    assert opening(early, "2026-03-29T12:00") == "2026-03-30 02:30"


def test_a_window_that_the_clocks_skip_does_not_open_that_day():
    skipped = SendWindow(time(2, 10), time(2, 50), EVERY_DAY)
    assert opening(skipped, "2026-03-29T01:00") == "2026-03-30 02:10"


def test_of_an_hour_that_comes_twice_the_first_counts():
    # at 03:00 on 25 October 2026 it is 02:00 again
    early = SendWindow(time(2, 30), time(4), EVERY_DAY)
    assert early.opening(at("2026-10-25T01:00"), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    again = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # 02:15 for the second time: it has opened already
    assert early.opening(again, BERLIN) == again
    late = SendWindow(time(1), time(2, 30), EVERY_DAY)
    assert late.opening(again, BERLIN) == at("2026-10-26T01:00")


def test_where_midnight_is_skipped_and_where_a_whole_day_is():
    whole = SendWindow(time(0), time(0), EVERY_DAY)
    santiago = ZoneInfo("America/Santiago")
    now = datetime(2026, 9, 6, 3, 30, tzinfo=UTC)  # 23:30 of the day before
    assert whole.opening(now, santiago) == now
    sundays = SendWindow(time(0), time(0), frozenset({SUNDAY}))
    assert sundays.opening(now, santiago) == datetime(2026, 9, 6, 4, tzinfo=UTC)
    fridays = SendWindow(time(8), time(20), frozenset({FRIDAY}))
    # Samoa had no 30 December 2011, which was a Friday
    assert opening(fridays, "2011-12-29T21:00", ZoneInfo("Pacific/Apia")) == "2012-01-06 08:00"


zones = st.sampled_from(sorted(zone_names())).map(ZoneInfo)
clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
windows = st.builds(
    SendWindow,
    clocks,
    clocks,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.frozensets(st.dates(date(2024, 1, 1), date(2030, 1, 1)), max_size=5),
)


@given(windows, moments, zones)
@settings(max_examples=300, deadline=None)
def test_whenever_it_opens_it_is_open_then_and_was_closed_before(window, now, zone):
    opens = window.opening(now, zone)
    assert opens >= now
    assert window.opening(opens, zone) == opens
    local = opens.astimezone(zone)
    assert local.date() not in window.holidays
    if opens > now:
        just_before = max(now, opens - timedelta(seconds=1))
        assert window.opening(just_before, zone) == opens


# in words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-12-04T22:00", "Friday 22:00 (Europe/Berlin)"),
        ("2026-12-07T09:00", "Monday 09:00 (Europe/Berlin)"),
        ("2026-12-10T09:00", "Thursday 09:00 (Europe/Berlin)"),
        ("2026-12-11T09:00", "Friday 11 December, 09:00 (Europe/Berlin)"),
        ("2027-01-04T09:00", "Monday 4 January, 09:00 (Europe/Berlin)"),
    ],
)
def test_a_moment_is_said_by_its_weekday_with_the_date_from_a_week_on(moment, words):
    assert in_words(at(moment), BERLIN, at("2026-12-04T19:00")) == words


def test_the_first_zone_that_there_is_counts_and_no_name_is_looked_up_as_a_file():
    assert zone_of("Europe/Berlin", "UTC") == BERLIN
    assert zone_of("", "../../etc/passwd", "Mars/Olympus", "America/New_York") == NEW_YORK
    assert zone_of("").key == "UTC"
