from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from portal.devtools.demo.history.events import (
    TREES,
    Act,
    Add,
    Archive,
    Move,
    MoveTogether,
    Occurrence,
    Person,
    Step,
    TakeStep,
    TeamAct,
)
from portal.devtools.demo.history.plan import LATEST, LENGTH, plan
from portal.devtools.sandbox.seed import lever_accounts
from portal.devtools.sandbox.values import stable_id

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
KINDS = {Add, Move, MoveTogether, Archive, *Step, *get_args(TeamAct.__value__), *Occurrence}


def kind(act: Act) -> object:
    """Return what tells acts of one kind from others: the step, the occurrence, else the class."""
    if isinstance(act, TakeStep):
        return act.step
    return act if isinstance(act, Occurrence) else type(act)


def people_of(act: Act) -> tuple[Person, ...]:
    """Return the candidates that an act is about."""
    if isinstance(act, MoveTogether):
        return act.people
    person = getattr(act, "person", None)
    return (person,) if person else ()


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
    people = {event.act.person for event in events if isinstance(event.act, Add)}
    assert 60 <= len(people) <= 120
    assert {kind(event.act) for event in events} == KINDS


def test_nobody_has_the_name_of_a_candidate_that_every_sandbox_holds():
    seeded = lever_accounts()["acme"]["candidates"]
    assert not {candidate["id"] for candidate in seeded} & {
        stable_id("acme", "opportunity", tree) for tree in TREES
    }


def test_nobody_moves_before_they_applied():
    applied = Counter[str]()
    for event in plan(NOW):
        for person in people_of(event.act):
            applied[person.word] += isinstance(event.act, Add)
            assert applied[person.word] == 1, event
