"""What doesn't go as it should in the history: each reason not to be invited, and each thing that needs a person."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from integrations.core.rules.send_window import DAYS
from portal.devtools.demo.history.events import (
    BACKEND,
    DATA,
    DAYS_TO_START,
    DESIGN,
    FRONTEND,
    LEAD,
    MOBILE,
    OWNER,
    SRE,
    TREES,
    UNSCORED,
    Add,
    Approve,
    Archive,
    Cancel,
    CancelHeld,
    ChangePolicies,
    Event,
    InviteAgain,
    MapRole,
    Move,
    MoveTogether,
    Occurrence,
    Person,
    Rate,
    Replay,
    Resolve,
    Step,
    TakeStep,
)

LENGTH = timedelta(days=14)
TRIGGER, NEXT, EARLIER = "CodeScreen Assessment", "On-site interview", "Phone screen"
TAKE_HOME = "CodeScreen Take-home"
#: What happens before it began just now, so that everything has been worked when the portal starts.
LATEST = timedelta(minutes=8)
#: Data Engineers are mapped since eight days ago; the tag of their posting has a typing error.
DATA_MAPPED = timedelta(days=7)

PASSED, FAILED, BROKEN, ABANDONED, NOT_STARTED = "passed", "failed", "broken", "abandoned", "not started"
FATES = {PASSED: 42, FAILED: 22, BROKEN: 5, ABANDONED: 7, NOT_STARTED: 24}
ROLES = {BACKEND: 40, FRONTEND: 32, SRE: 12, DATA: 16}
ORDINARY = 16


class Planner:
    """Draws one history; the same seed and time give the same one."""

    def __init__(self, now: datetime, seed: int) -> None:
        self.now = now
        self.random = random.Random(seed)  # noqa: S311 a demo needs no secret
        self._words = self.random.sample(TREES, len(TREES))
        self._special: list[tuple[datetime, datetime]] = []

    def ago(self, days: float = 0.0, hours: float = 0.0, minutes: float = 0.0) -> datetime:
        """Return a moment before now; of a day before today, one between 9 and 17 o'clock UTC."""
        if days < 1:
            return self.now - timedelta(days=days, hours=hours, minutes=minutes)
        day = (self.now - timedelta(days=int(days))).replace(hour=9, minute=0, second=0)
        return day + (1 - days % 1) * timedelta(hours=8)

    def special(self, at: datetime, minutes: float) -> datetime:
        """Return the moment, and keep ordinary candidates out of the time around it."""
        self._special.append((at - timedelta(minutes=15), at + timedelta(minutes=minutes)))
        return at

    def word(self) -> str:
        """Return a word that nobody is named by yet."""
        return self._words.pop()

    def person(self, posting: str) -> Person:
        """Return somebody new, who has an address and may be contacted."""
        return Person(self.word(), posting)

    def ordinary(self) -> Iterator[Event]:
        """Yield what happens to the many ordinary candidates: everything goes as it should."""
        first = self._in_office_hours(LENGTH - timedelta(days=1), least=0.93)
        yield from self.journey(self.person(BACKEND), first, PASSED)
        for _ in range(ORDINARY - 1):
            posting = self._draw(ROLES)
            longest = DATA_MAPPED if posting == DATA else LENGTH - timedelta(days=1)
            at = self._in_office_hours(longest)
            yield from self.journey(self.person(posting), at, self._draw(FATES))

    def underway(self) -> Iterator[Event]:
        """Yield those who are halfway now: invited, at work, and waiting for their result."""
        for hours, posting in ((5, BACKEND), (7, FRONTEND), (9, BACKEND), (26, DATA)):
            yield from self.entry(self.person(posting), self.ago(hours=hours))
        for hours, posting in ((22, BACKEND), (27, FRONTEND), (30, SRE)):
            person = self.person(posting)
            yield from self.entry(person, self.ago(hours=hours))
            yield Event(self.ago(hours=hours / 12), TakeStep(person, Step.START))
        for minutes, posting in ((35, BACKEND), (90, FRONTEND)):
            person = self.person(posting)
            yield from self.entry(person, self.ago(hours=31))
            yield Event(self.ago(hours=4), TakeStep(person, Step.START))
            yield Event(self.ago(minutes=minutes), TakeStep(person, Step.SUBMIT))

    def entry(self, person: Person, at: datetime, *, answer_is_lost: bool = False) -> Iterator[Event]:
        """Yield that a candidate applies, and enters the stage that invites."""
        yield Event(at - timedelta(hours=self.random.uniform(1, 12)), Add(person))
        yield Event(at, Move(person, TRIGGER, answer_is_lost=answer_is_lost))

    def journey(self, person: Person, at: datetime, fate: str) -> Iterator[Event]:
        """Yield a candidate's whole way, from the application to what the recruiter does with the result."""
        yield from self.entry(person, at)
        yield from self.assessment(person, at, fate)

    def assessment(self, person: Person, invited_at: datetime, fate: str) -> Iterator[Event]:
        """Yield what becomes of an invitation."""
        if fate == NOT_STARTED:
            expires_at = invited_at + timedelta(days=DAYS_TO_START[person.assessment], minutes=1)
            yield Event(expires_at, TakeStep(person, Step.EXPIRE))
            return
        started_at = invited_at + self._hours(1, 40)
        yield Event(started_at, TakeStep(person, Step.START))
        if fate == ABANDONED:
            yield Event(started_at + timedelta(hours=26), TakeStep(person, Step.EXPIRE))
            return
        submitted_at = started_at + self._hours(1.2, 6)
        evaluated_at = submitted_at + self._hours(0.05, 0.4)
        yield Event(submitted_at, TakeStep(person, Step.SUBMIT))
        yield Event(evaluated_at, TakeStep(person, Step.EVALUATE, self._result(person, fate)))
        decided_at = evaluated_at + self._hours(1, 20)
        if self.random.random() < 0.75:
            if fate == PASSED:
                yield Event(decided_at, Move(person, NEXT))
            else:
                yield Event(decided_at, Archive(person, "Underqualified"))

    def _result(self, person: Person, fate: str) -> dict[str, object]:
        if fate == BROKEN:
            return {"result": "Failed", "reason": "Build Failure"}
        is_passed = fate == PASSED
        low, high = (68, 98) if is_passed else (18, 55)
        score = None if person.assessment == UNSCORED else self.random.randint(low, high)
        return {"score": score, "result": "Passed" if is_passed else "Failed"}

    def _in_office_hours(self, longest: timedelta, least: float = 0.05) -> datetime:
        """Return a moment up to `longest` ago and at least that part, mostly on a working day from 8 to 18 UTC."""
        for _ in range(40):
            at = self.now - self.random.uniform(least, 1.0) * longest
            is_likely = at.weekday() < 5 and 8 <= at.hour < 18
            is_special = any(begin <= at <= end for begin, end in self._special)
            if not is_special and (is_likely or self.random.random() < 0.04):
                break
        return at

    def _hours(self, least: float, most: float) -> timedelta:
        return timedelta(hours=self.random.uniform(least, most))

    def _draw(self, weights: dict[str, int]) -> str:
        return self.random.choices(list(weights), list(weights.values()))[0]


def in_order(events: Iterable[Event], now: datetime) -> list[Event]:
    """Return the events that have happened by now in the order of their times."""
    past = [event for event in events if event.at <= now - LATEST]
    return sorted(past, key=lambda event: event.at)


BULK_LIMIT = 6
#: Who has this tag is held.
EXTRA_TIME = "Accommodation"
MINUTE = timedelta(minutes=1)


def plan(now: datetime, seed: int = 1) -> list[Event]:
    """Return everything that happens in the two weeks before now, in order."""
    planner = Planner(now, seed)
    return in_order(
        [
            *_changes_by_the_team(planner),
            *_not_invited(planner),
            *_late_mapping(planner),
            *_pause(planner),
            *_outage(planner),
            *_lost_webhooks(planner),
            *_lost_answers(planner),
            *_bulk_moves(planner),
            *_extra_time(planner),
            *_send_window(planner),
            *_not_started(planner),
            *_second_looks(planner),
            *_chain(planner),
            *planner.underway(),
            *planner.ordinary(),
        ],
        now,
    )


def _changes_by_the_team(planner: Planner) -> Iterator[Event]:
    yield Event(planner.ago(13.2), ChangePolicies(OWNER, {"passed_tag": "Assessment passed"}))
    yield Event(planner.ago(12.3), ChangePolicies(LEAD, {"hold_tag": EXTRA_TIME}))
    yield Event(planner.ago(11.1), Occurrence.FORGED_WEBHOOK)
    yield Event(planner.ago(9.4), Rate("Backend", (40, 60, 80)))
    yield Event(planner.ago(9.3), ChangePolicies(LEAD, {"passing_score": 70}))
    yield Event(planner.ago(8.6), ChangePolicies(LEAD, {"bulk_limit": BULK_LIMIT}))
    yield Event(planner.ago(6.6), MapRole(BACKEND, "SRE Troubleshooting", TAKE_HOME))
    in_turn = MapRole(BACKEND, "Backend", TAKE_HOME, next_assessment="SRE Troubleshooting")
    yield Event(planner.ago(4.2), in_turn)


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


def _late_mapping(planner: Planner) -> Iterator[Event]:
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


def _extra_time(planner: Planner) -> Iterator[Event]:
    """Yield a candidate who waits until an Admin has set their extra time."""
    yield from planner.entry(Person(planner.word(), BACKEND, tags=(EXTRA_TIME,)), planner.ago(hours=20))


def _not_started(planner: Planner) -> Iterator[Event]:
    """Yield a candidate who still has time to start, and hasn't for so long that the tag says so."""
    yield Event(planner.ago(5.9), ChangePolicies(LEAD, {"start_within_days": 7, "not_started_days": 3}))
    yield from planner.entry(planner.person(BACKEND), planner.ago(5.2))
    yield Event(planner.ago(1.3), Occurrence.POLL)


def _send_window(planner: Planner) -> Iterator[Event]:
    """Yield a send window, which is closed in one candidate's time zone alone: anybody else is sent the assessment."""
    now = planner.now.astimezone(UTC)
    closed = (now.hour - 10) % 24, (now.hour - 7) % 24  # in Anchorage it is eight or nine hours earlier
    until, since = (f"{hour:02}:00" for hour in closed)
    window = {"send_from": since, "send_until": until, "send_days": list(DAYS)}
    yield Event(planner.ago(minutes=25), ChangePolicies(LEAD, window))
    person = Person(planner.word(), BACKEND, time_zone="America/Anchorage")
    yield from planner.entry(person, planner.ago(minutes=12))


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
    unstated = planner.person(BACKEND)
    yield from planner.entry(unstated, planner.ago(7.7))
    yield Event(planner.ago(7.1), TakeStep(unstated, Step.START, {}))
    yield Event(planner.ago(7), TakeStep(unstated, Step.EVALUATE, {"score": 77}))
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


def _chain(planner: Planner) -> Iterator[Event]:
    """Yield a candidate who passed the first assessment of a mapping and is at work on the next one."""
    person, at = planner.person(BACKEND), planner.ago(3.8)
    yield Event(at - 60 * MINUTE, Add(person))
    yield Event(at, Move(person, TAKE_HOME))
    yield Event(at + timedelta(hours=20), TakeStep(person, Step.START))
    yield Event(at + timedelta(hours=23), TakeStep(person, Step.SUBMIT))
    passed = {"score": 86, "result": "Passed"}
    yield Event(at + timedelta(hours=24), TakeStep(person, Step.EVALUATE, passed))
    yield Event(planner.ago(hours=14), TakeStep(replace(person, posting=SRE), Step.START))
