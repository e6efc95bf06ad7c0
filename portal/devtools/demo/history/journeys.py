"""What happens in the two weeks before the demo begins: a short list of journeys, each act with its moment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from portal.devtools.demo.history.acts import DESIGNER, LEAD, OWNER, Acts, Person

LENGTH = timedelta(days=14)
#: What happens before it began just now, so that everything has been worked when the portal starts.
LATEST = timedelta(minutes=8)
TRIGGER, NEXT, EARLIER = "CodeScreen Assessment", "On-site interview", "Phone screen"
BACKEND, FRONTEND, DATA, SRE, MOBILE = (
    "Backend Engineer",
    "Frontend Engineer",
    "Data Engineer",
    "Site Reliability Engineer",
    "Mobile Engineer",
)
#: After how many days CodeScreen ends the time to start.
DAYS_TO_START = {BACKEND: 7, FRONTEND: 7, SRE: 3}
MINUTE = timedelta(minutes=1)
BULK_LIMIT = 6
#: Who has this tag is held.
HOLD_TAG = "Accommodation"
TREES = tuple(
    """
    Acacia Almond Apple Apricot Araucaria Arbutus Ash Avocado Balsa Banyan Baobab Basswood Bay Boxwood
    Buckeye Buckthorn Butternut Camphor Carob Cashew Cassia Catalpa Cherry Chestnut Citron Clementine
    Cork Cottonwood Cypress Damson Durian Ebony Elder Eucalyptus Fig Filbert Frangipani Guava Hackberry
    Hawthorn Hemlock Hickory Holly Hornbeam Ironwood Jacaranda Kapok Kauri Kumquat Laburnum Laurel Lemon
    Lilac Lime Linden Locust Lychee Magnolia Mahogany Mango Mangrove Medlar Mesquite Mimosa Mulberry
    """.split()  # noqa: SIM905 a list would take fifty lines
)

#: So many days ago CodeScreen had an outage, in which two of the ordinary candidates entered the stage.
OUTAGE_DAYS = 3.7
PASSED, FAILED, BROKEN, ABANDONED, NOT_STARTED = "passed", "failed", "broken", "abandoned", "not started"
#: Ordinary candidates, where everything goes as it should: days ago, role, what becomes of it, score.
ORDINARY = (
    (12.9, BACKEND, PASSED, 91),
    (12.4, FRONTEND, FAILED, 42),
    (11.7, SRE, PASSED, None),
    (11.2, BACKEND, NOT_STARTED, None),
    (10.5, FRONTEND, PASSED, 83),
    (10.4, BACKEND, FAILED, 31),
    (9.8, BACKEND, PASSED, 74),
    (8.6, FRONTEND, PASSED, 95),
    (7.5, SRE, FAILED, None),
    (6.7, BACKEND, PASSED, 88),
    (5.5, BACKEND, ABANDONED, None),
    (4.6, FRONTEND, BROKEN, None),
    (OUTAGE_DAYS, BACKEND, PASSED, 79),
    (OUTAGE_DAYS - 0.02, FRONTEND, FAILED, 55),
)


@dataclass(frozen=True)
class Event:
    """One act and its moment."""

    at: datetime
    act: Callable[[], object]


def ago(now: datetime, days: float = 0.0, hours: float = 0.0) -> datetime:
    """Return a moment before now; of a day before today, one between 9 and 17 o'clock UTC."""
    if days < 1:
        return now - timedelta(days=days, hours=hours)
    day = (now - timedelta(days=int(days))).replace(hour=9, minute=0, second=0)
    return day + (1 - days % 1) * timedelta(hours=8)


def entry(acts: Acts, person: Person, at: datetime) -> Iterator[Event]:
    """Yield that a candidate applies, and enters the stage that invites."""
    yield Event(at - timedelta(hours=5), partial(acts.apply, person))
    yield Event(at, partial(acts.in_lever, "move", person, stage=TRIGGER))


class Journeys:
    """Tells the history that ends now."""

    def __init__(self, acts: Acts, now: datetime) -> None:
        self._acts = acts
        self._now = now
        self._words = iter(TREES)

    def events(self) -> Iterator[Event]:
        """Yield all that happens, in no order; what is planned for later than now, too."""
        yield from self._changes_by_the_team()
        yield from self._not_invited()
        yield from self._lost_answers()
        yield from self._outage()
        yield from self._held()
        yield from self._second_looks()
        yield from self._regraded()
        yield from self._underway()
        yield from self._ordinary()

    def _ago(self, days: float = 0.0, hours: float = 0.0) -> datetime:
        return ago(self._now, days, hours)

    def _person(self, posting: str, **more: object) -> Person:
        return Person(next(self._words), posting, **more)  # type: ignore[arg-type]

    def _entry(self, person: Person, at: datetime) -> Iterator[Event]:
        return entry(self._acts, person, at)

    def _assessment(
        self, person: Person, at: datetime, fate: str, score: int | None = None
    ) -> Iterator[Event]:
        """Yield what becomes of an invitation of that moment."""
        step = partial(partial, self._acts.step, person)
        if fate == NOT_STARTED:
            yield Event(at + timedelta(days=DAYS_TO_START[person.posting], minutes=1), step("expire"))
            return
        started_at = at + timedelta(hours=17)
        yield Event(started_at, step("start"))
        if fate == ABANDONED:
            yield Event(started_at + timedelta(hours=26), step("expire"))
            return
        yield Event(started_at + timedelta(hours=3), step("submit"))
        result = {"score": score, "result": "Passed" if fate == PASSED else "Failed"}
        if fate == BROKEN:
            result = {"result": "Failed", "reason": "Build Failure"}
        yield Event(started_at + timedelta(hours=3.2), step("evaluate", **result))
        decision = (
            partial(self._acts.in_lever, "move", person, stage=NEXT)
            if fate == PASSED
            else partial(self._acts.in_lever, "archive", person, reason="Underqualified")
        )
        yield Event(started_at + timedelta(hours=11), decision)

    def _ordinary(self) -> Iterator[Event]:
        for days, posting, fate, score in ORDINARY:
            person = self._person(posting)
            yield from self._entry(person, self._ago(days))
            yield from self._assessment(person, self._ago(days), fate, score)

    def _underway(self) -> Iterator[Event]:
        """Yield those who are halfway now: invited, at work, and waiting for their result."""
        for hours, posting in ((5, BACKEND), (7, FRONTEND), (26, SRE)):
            yield from self._entry(self._person(posting), self._ago(hours=hours))
        for hours, posting, has_submitted in ((22, BACKEND, False), (30, SRE, False), (31, FRONTEND, True)):
            person = self._person(posting)
            yield from self._entry(person, self._ago(hours=hours))
            yield Event(self._ago(hours=4), partial(self._acts.step, person, "start"))
            if has_submitted:
                yield Event(self._ago(hours=1), partial(self._acts.step, person, "submit"))

    def _changes_by_the_team(self) -> Iterator[Event]:
        """Yield changes of rules."""
        for days, by, rules in (
            (13.2, OWNER, {"passed_tag": "Assessment passed"}),
            (12.3, LEAD, {"hold_tag": HOLD_TAG}),
            (9.3, LEAD, {"passing_score": 70}),
            (8.6, LEAD, {"bulk_limit": BULK_LIMIT}),
            (5.9, LEAD, {"not_started_days": 3}),
        ):
            yield Event(self._ago(days), partial(self._acts.change_policies, by, **rules))

    def _not_invited(self) -> Iterator[Event]:
        """Yield everybody who got no test, for each reason: some long ago, some that still wait for a person."""
        for days, person in (
            (6.3, self._person(MOBILE)),
            (5.1, self._person(DESIGNER)),
            (0.3, self._person(DESIGNER)),
            (9.1, self._person(DATA)),
            (0.5, self._person("", tags=("CodeScreen Fronted Developer",))),
            (0.2, self._person(FRONTEND, has_email=False)),
            (3.6, self._person(BACKEND, may_be_contacted=False)),
        ):
            yield from self._entry(person, self._ago(days))

    def _lost_answers(self) -> Iterator[Event]:
        """Yield two invitations whose answer was lost: one that an Admin settled, and one that still waits."""
        for days, is_settled in ((9.6, True), (1.2, False)):
            person, at = self._person(BACKEND), self._ago(days)
            yield Event(at - MINUTE, self._acts.lose_next_answer)
            yield from self._entry(person, at)
            yield Event(at + 2 * MINUTE, self._acts.update_incidents)
            if is_settled:
                settle = partial(self._acts.resolve, person, "The candidate has the e-mail.")
                yield Event(at + 50 * MINUTE, settle)
                yield Event(at + 52 * MINUTE, self._acts.update_incidents)
                yield from self._assessment(person, at + 60 * MINUTE, PASSED, 93)

    def _outage(self) -> Iterator[Event]:
        """Yield forty minutes in which CodeScreen answers 503, and the tries until all is sent."""
        begin = self._ago(OUTAGE_DAYS) - MINUTE
        yield Event(begin, partial(self._acts.fail, {"kind": "status", "status": 503}))
        yield Event(begin + 40 * MINUTE, self._acts.fail)
        for minutes in range(3, 70, 4):
            yield Event(begin + minutes * MINUTE, self._acts.update_incidents)

    def _held(self) -> Iterator[Event]:
        """Yield who waits for an Admin's yes: one by a tag, and of a bulk move those beyond the limit."""
        yield from self._entry(self._person(BACKEND, tags=(HOLD_TAG,)), self._ago(hours=20))
        yield Event(self._ago(hours=20) + 2 * MINUTE, self._acts.update_incidents)
        people, at = [self._person(BACKEND) for _ in range(BULK_LIMIT + 4)], self._ago(hours=9)
        for person in people:
            yield Event(at - timedelta(hours=2), partial(self._acts.apply, person))
        yield Event(at, partial(self._acts.in_lever, "move", *people, stage=TRIGGER))
        yield Event(at + 2 * MINUTE, self._acts.update_incidents)
        yield Event(at + 40 * MINUTE, partial(self._acts.approve_held, "Planned."))
        yield Event(at + 42 * MINUTE, partial(self._acts.cancel_held, "Has another offer."))

    def _second_looks(self) -> Iterator[Event]:
        """Yield who enters the stage twice, is invited elsewhere or again, or isn't followed any more."""
        again, twice, expired = (self._person(BACKEND) for _ in range(3))
        second = self._person("", tags=("CodeScreen Backend",), same_person_as=twice.word)
        yield from self._entry(again, self._ago(3.4))
        yield Event(self._ago(3.1), partial(self._acts.in_lever, "move", again, stage=EARLIER))
        yield Event(self._ago(2.9), partial(self._acts.in_lever, "move", again, stage=TRIGGER))
        yield from self._entry(twice, self._ago(2.6))
        yield from self._entry(second, self._ago(1.9))
        yield from self._entry(expired, self._ago(9.2))
        yield from self._assessment(expired, self._ago(9.2), NOT_STARTED)
        yield Event(self._ago(1.1), partial(self._acts.invite_again, expired, "Was ill."))
        yield from self._entry(self._person(BACKEND), self._ago(5.2))
        yield Event(self._ago(1.3), self._acts.poll)

    def _regraded(self) -> Iterator[Event]:
        """Yield a result that CodeScreen corrects."""
        person, at = self._person(BACKEND), self._ago(6.8)
        yield from self._entry(person, at)
        yield from self._assessment(person, at, FAILED, 48)
        yield Event(self._ago(5.3), partial(self._acts.step, person, "regrade", score=74, result="Passed"))
