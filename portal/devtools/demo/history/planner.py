"""The plan of the history: what happens to each candidate and when, drawn by a seed, relative to now."""

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from portal.devtools.demo.history.events import Add, Archive, Event, Move, Step, TakeStep
from portal.devtools.demo.history.people import (
    BACKEND,
    DATA,
    DAYS_TO_START,
    FRONTEND,
    SRE,
    TREES,
    UNSCORED,
    Person,
)

LENGTH = timedelta(days=14)
TRIGGER, NEXT, EARLIER = "CodeScreen Assessment", "On-site interview", "Phone screen"
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
        """Return the moment, and keep those with whom everything goes as it should out of the time around it."""
        self._special.append((at - timedelta(minutes=15), at + timedelta(minutes=minutes)))
        return at

    def word(self) -> str:
        """Return a word that nobody is named by yet."""
        return self._words.pop()

    def person(self, posting: str) -> Person:
        """Return somebody new, who has an address and may be contacted."""
        return Person(self.word(), posting)

    def ordinary(self) -> Iterator[Event]:
        """Yield what happens to the many candidates with whom everything goes as it should."""
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
