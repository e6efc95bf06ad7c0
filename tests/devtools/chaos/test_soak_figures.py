"""Whether a figure of a long run counts as growing without a bound."""

import math
from collections.abc import Callable, Mapping

import pytest

from portal.devtools.chaos.soak_figures import BOUNDS, DATABASE, DUE, WORKERS, Growth, Sample

MINUTES = 60
A_MINUTE = 300  # invitations


def growth(courses: Mapping[str, Callable[[int], float]], minutes: int = MINUTES) -> Growth:
    """Return the samples of a run at five a second. Figures stay as they are, except those with a course."""
    samples = []
    for minute in range(minutes + 1):
        figures = dict.fromkeys((*BOUNDS, "rss_mib"), 100.0)
        figures[DATABASE] = 10.0 + minute * 4
        figures |= {name: course(minute) for name, course in courses.items()}
        samples.append(Sample(60.0 * minute, A_MINUTE * minute, figures))
    return Growth(samples)


def test_nothing_grows_when_each_figure_stays_and_the_tables_take_each_candidate() -> None:
    assert growth({}).unbounded() == []


def test_memory_that_comes_to_rest_is_bounded() -> None:
    assert growth({WORKERS: lambda minute: 150 + 60 * (1 - math.exp(-minute / 8))}).unbounded() == []


@pytest.mark.parametrize("name", BOUNDS)
def test_a_figure_is_named_when_each_invitation_leaves_something_of_it(name: str) -> None:
    unbounded = growth({name: lambda minute: 100 + 40 * A_MINUTE * minute / 1000}).unbounded()
    assert unbounded == [f"{name}: 40.0 for 1,000 invitations"]


def test_a_busy_minute_isnt_growth() -> None:
    assert growth({DUE: lambda minute: 900.0 if minute == MINUTES else 0.0}).unbounded() == []


def test_tables_are_named_when_a_candidate_takes_ever_more() -> None:
    unbounded = growth({DATABASE: lambda minute: 10.0 + minute**3 / 500}).unbounded()
    assert unbounded == ["database_mib: 33.1 for 1,000 invitations, before 8.5"]


def test_tables_that_get_room_in_steps_are_bounded() -> None:
    assert growth({DATABASE: lambda minute: 10.0 + 4 * (minute - minute % 7)}, 20).unbounded() == []


def test_nothing_is_said_of_growth_when_the_run_was_short() -> None:
    rising = {WORKERS: lambda minute: 100.0 + 20 * minute}
    assert growth(rising, 12).unbounded() is None
    assert growth(rising, 30).unbounded() == ["workers_pss_mib: 66.7 for 1,000 invitations"]


def test_a_course_shows_each_third_and_what_1000_more_invitations_add() -> None:
    course = growth({WORKERS: float}, 59).course(WORKERS)
    assert course == {"first": 0, "thirds": "9.5/29.5/49.5", "last": 59, "for_1000_more": 3.33}
