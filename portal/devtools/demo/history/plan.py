"""What doesn't go as it should in the history: each reason not to be invited, and each thing that needs a person."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from portal.devtools.demo.history.events import (
    LEAD,
    OWNER,
    Add,
    Approve,
    Cancel,
    CancelHeld,
    ChangePolicies,
    Event,
    InviteAgain,
    MapRole,
    Move,
    MoveTogether,
    Occurrence,
    Rate,
    Replay,
    Resolve,
    Step,
    TakeStep,
)
from portal.devtools.demo.history.people import BACKEND, DATA, DESIGN, FRONTEND, MOBILE, Person
from portal.devtools.demo.history.planner import (
    EARLIER,
    FAILED,
    NOT_STARTED,
    PASSED,
    TRIGGER,
    Planner,
    in_order,
)

BULK_LIMIT = 6
MINUTE = timedelta(minutes=1)


def plan(now: datetime, seed: int = 1) -> list[Event]:
    """Return everything that happens in the two weeks before now, in order."""
    planner = Planner(now, seed)
    return in_order(
        [
            *_changes_by_the_team(planner),
            *_not_invited(planner),
            *_mended_mapping(planner),
            *_pause(planner),
            *_outage(planner),
            *_lost_webhooks(planner),
            *_lost_answers(planner),
            *_bulk_moves(planner),
            *_second_looks(planner),
            *planner.underway(),
            *planner.ordinary(),
        ],
        now,
    )


def _changes_by_the_team(planner: Planner) -> Iterator[Event]:
    yield Event(planner.ago(13.2), ChangePolicies(OWNER, {"passed_tag": "Assessment passed"}))
    yield Event(planner.ago(11.1), Occurrence.FORGED_WEBHOOK)
    yield Event(planner.ago(9.4), Rate("Backend", (40, 60, 80)))
    yield Event(planner.ago(8.6), ChangePolicies(LEAD, {"bulk_limit": BULK_LIMIT}))
    take_home = "CodeScreen Take-home"
    yield Event(planner.ago(6.6), MapRole(BACKEND, "SRE Troubleshooting", take_home))
    yield Event(planner.ago(4.2), MapRole(BACKEND, "Backend", take_home))


def _not_invited(planner: Planner) -> Iterator[Event]:
    """Yield everybody who got no test, for each reason: some long ago, some that still wait for a person."""
    misspelt = ("CodeScreen Fronted Developer",)
    for days, person in (
        (6.3, planner.person(MOBILE)),
        (0.6, planner.person(MOBILE)),
        (5.1, planner.person(DESIGN)),
        (0.3, planner.person(DESIGN)),
        (0.5, Person(planner.word(), "", tags=misspelt)),
        (7.4, Person(planner.word(), BACKEND, has_email=False)),
        (0.2, Person(planner.word(), FRONTEND, has_email=False)),
        (3.6, Person(planner.word(), BACKEND, may_be_contacted=False)),
    ):
        yield from planner.entry(person, planner.ago(days))
    left, at = planner.person(FRONTEND), planner.ago(4.4)
    yield Event(at - 60 * MINUTE, Add(left))
    yield Event(at, Move(left, TRIGGER, is_undone=True))


def _mended_mapping(planner: Planner) -> Iterator[Event]:
    """Yield Data Engineers who got no test until an Admin mapped the role, and decided again for one of them."""
    first, second = planner.person(DATA), planner.person(DATA)
    yield from planner.entry(first, planner.ago(10.2))
    yield from planner.entry(second, planner.ago(9.1))
    yield Event(planner.ago(8.0), MapRole(DATA, "Data Engineer"))
    yield Event(planner.ago(8.0) + 4 * MINUTE, Replay(second))
    yield from planner.assessment(second, planner.ago(8.0) + 5 * MINUTE, PASSED)


def _pause(planner: Planner) -> Iterator[Event]:
    person = planner.person(BACKEND)
    begin = planner.special(planner.ago(2.3), 60)
    yield Event(begin, ChangePolicies(LEAD, {"paused": True}))
    yield from planner.entry(person, begin + 12 * MINUTE)
    yield Event(begin + 45 * MINUTE, ChangePolicies(LEAD, {"paused": False}))
    yield from planner.assessment(person, begin + 46 * MINUTE, PASSED)


def _outage(planner: Planner) -> Iterator[Event]:
    """Yield an hour in which CodeScreen fails, and those who are invited once it works again."""
    begin = planner.special(planner.ago(6.1), 120)
    yield Event(begin, Occurrence.CODESCREEN_FAILS)
    for number in range(3):
        person = planner.person(BACKEND if number else FRONTEND)
        yield from planner.entry(person, begin + (2 + 6 * number) * MINUTE)
        yield from planner.assessment(person, begin + 115 * MINUTE, FAILED if number == 1 else PASSED)
    for minutes in (3, 6, 10, 22, 26, 40):
        yield Event(begin + minutes * MINUTE, Occurrence.WORK)
    for minutes in (11, 23):
        yield Event(begin + minutes * MINUTE, Occurrence.UPDATE_INCIDENTS)
    yield Event(begin + 48 * MINUTE, Occurrence.CODESCREEN_WORKS)
    for minutes in (50, 56, 75, 110):
        yield Event(begin + minutes * MINUTE, Occurrence.WORK)
    yield Event(begin + 112 * MINUTE, Occurrence.UPDATE_INCIDENTS)


def _lost_webhooks(planner: Planner) -> Iterator[Event]:
    """Yield two candidates whose stage change Lever never reported, found by the sweep."""
    begin = planner.special(planner.ago(4.8), 20)
    yield Event(begin, Occurrence.WEBHOOKS_ARE_LOST)
    for number, fate in enumerate((PASSED, NOT_STARTED)):
        person = planner.person(FRONTEND if number else BACKEND)
        yield from planner.entry(person, begin + (1 + number) * MINUTE)
        yield from planner.assessment(person, begin + 12 * MINUTE, fate)
    yield Event(begin + 5 * MINUTE, Occurrence.WEBHOOKS_ARRIVE)
    yield Event(begin + 9 * MINUTE, Occurrence.SWEEP)
    yield Event(begin + 10 * MINUTE, Occurrence.UPDATE_INCIDENTS)
    yield Event(begin + timedelta(hours=25), Occurrence.UPDATE_INCIDENTS)


def _lost_answers(planner: Planner) -> Iterator[Event]:
    """Yield two invitations whose answer was lost: one that an Admin settled, and one that still waits."""
    settled, open_one = planner.person(BACKEND), planner.person(FRONTEND)
    at = planner.special(planner.ago(9.7), 15)
    yield from planner.entry(settled, at, answer_is_lost=True)
    yield Event(at + 2 * MINUTE, Occurrence.UPDATE_INCIDENTS)
    yield Event(at + 50 * MINUTE, Resolve(settled, "The candidate has the e-mail."))
    yield Event(at + 52 * MINUTE, Occurrence.UPDATE_INCIDENTS)
    yield from planner.assessment(settled, at + 60 * MINUTE, PASSED)
    at = planner.special(planner.ago(1.2), 15)
    yield from planner.entry(open_one, at, answer_is_lost=True)
    yield Event(at + 2 * MINUTE, Occurrence.UPDATE_INCIDENTS)


def _bulk_moves(planner: Planner) -> Iterator[Event]:
    """Yield two bulk moves beyond the limit: of the first an Admin settled who was held, the second waits."""
    first, at = _crowd(planner, BULK_LIMIT + 2), planner.special(planner.ago(6.4), 60)
    yield from _together(planner, first, at)
    yield Event(at + 2 * MINUTE, Occurrence.UPDATE_INCIDENTS)
    yield Event(at + 40 * MINUTE, Approve("Planned."))
    yield Event(at + 42 * MINUTE, CancelHeld("Has another offer."))
    yield Event(at + 45 * MINUTE, Occurrence.UPDATE_INCIDENTS)
    for person, fate in zip(first, (PASSED, FAILED, PASSED, NOT_STARTED), strict=False):
        yield from planner.assessment(person, at + 50 * MINUTE, fate)
    at = planner.special(planner.ago(hours=3), 20)
    yield from _together(planner, _crowd(planner, BULK_LIMIT + 3), at)
    yield Event(at + 2 * MINUTE, Occurrence.UPDATE_INCIDENTS)


def _crowd(planner: Planner, number: int) -> tuple[Person, ...]:
    return tuple(planner.person(BACKEND if index % 3 else FRONTEND) for index in range(number))


def _together(planner: Planner, people: tuple[Person, ...], at: datetime) -> Iterator[Event]:
    for index, person in enumerate(people):
        yield Event(at - timedelta(hours=2 + index / 10), Add(person))
    yield Event(at, MoveTogether(people, TRIGGER))


def _second_looks(planner: Planner) -> Iterator[Event]:
    """Yield who enters the stage twice, is invited elsewhere or again, bounces, is regraded or isn't followed."""
    again = planner.person(BACKEND)
    yield from planner.entry(again, planner.ago(3.4))
    yield Event(planner.ago(3.1), Move(again, EARLIER))
    yield Event(planner.ago(2.9), Move(again, TRIGGER))
    twice = planner.person(BACKEND)
    second = Person(planner.word(), "", tags=("CodeScreen Backend",), same_person_as=twice.word)
    yield from planner.entry(twice, planner.ago(2.6))
    yield from planner.entry(second, planner.ago(1.9))
    bounced = planner.person(FRONTEND)
    yield from planner.entry(bounced, planner.ago(1.5))
    yield Event(planner.ago(1.5) + MINUTE, TakeStep(bounced, Step.BOUNCE))
    regraded = planner.person(BACKEND)
    yield from planner.entry(regraded, planner.ago(6.8))
    for hours, step, result in (
        (20, Step.START, {}),
        (23, Step.SUBMIT, {}),
        (23.2, Step.EVALUATE, {"score": 48, "result": "Failed", "reason": "Unit Tests"}),
        (44, Step.REGRADE, {"score": 74, "result": "Passed"}),
    ):
        yield Event(planner.ago(6.8) + timedelta(hours=hours), TakeStep(regraded, step, result))
    stopped = planner.person(FRONTEND)
    yield from planner.entry(stopped, planner.ago(5.6))
    yield Event(planner.ago(4.9), Cancel(stopped, "Withdrew."))
    expired = planner.person(BACKEND)
    yield from planner.journey(expired, planner.ago(9.3), NOT_STARTED)
    yield Event(planner.ago(1.1), InviteAgain(expired, "Was ill."))
