from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from portal.devtools.demo.history.events import Act
from portal.devtools.demo.history.people import TREES
from portal.devtools.demo.history.plan import plan
from portal.devtools.demo.history.planner import LATEST, LENGTH
from portal.devtools.sandbox.ids import stable_id
from portal.devtools.sandbox.seed import default_seed

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


def test_the_plan_is_the_same_when_seed_and_time_are():
    assert plan(NOW, 7) == plan(NOW, 7)
    assert plan(NOW, 7) != plan(NOW, 8)


@pytest.mark.parametrize("seed", range(5))
def test_everything_happens_in_order_within_the_two_weeks(seed: int):
    events = plan(NOW, seed)
    times = [event.at for event in events]
    assert times == sorted(times)
    assert times[0] > NOW - LENGTH
    assert times[-1] <= NOW - LATEST


@pytest.mark.parametrize("hours", range(0, 24 * 7, 13))
def test_there_are_enough_candidates_at_any_hour_of_the_week(hours: int):
    events = plan(NOW + timedelta(hours=hours))
    people = {event.person for event in events if event.act is Act.ADD}
    assert 60 <= len(people) <= 120
    assert {event.act for event in events} == set(Act)


def test_nobody_has_the_name_of_a_candidate_that_every_sandbox_holds():
    seeded = default_seed()["lever"]["accounts"]["acme"]["candidates"]
    assert not {candidate["id"] for candidate in seeded} & {
        stable_id("acme", "opportunity", tree) for tree in TREES
    }


def test_nobody_moves_before_they_applied():
    applied = Counter[str]()
    for event in plan(NOW):
        if event.act is Act.ADD and event.person:
            applied[event.person.word] += 1
        elif event.person:
            assert applied[event.person.word] == 1, event
