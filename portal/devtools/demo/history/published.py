"""The history of an organization whose CodeScreen answers as it publishes: a score, no result and no webhooks.

So the portal asks for everything, and what counts as passed is the organization's own bar, once it has one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from portal.devtools.demo.environment import Platforms
from portal.devtools.demo.history.acts import DESIGNER, OWNER, Acts, Person
from portal.devtools.demo.history.journeys import BACKEND, FRONTEND, HOLD_TAG, MINUTE, Event, ago, entry
from portal.devtools.demo.provisioning import PUBLISHED
from portal.devtools.sandbox.codescreen import seed as codescreen_seed
from portal.devtools.sandbox.lever import seed as lever_seed

#: So many days ago the organization set its bar; results from before say that none is stated.
BAR, BAR_DAYS = 70, 6.5
#: Days ago, role, score.
EVALUATED = (
    (12.6, BACKEND, 77),
    (9.4, FRONTEND, 48),
    (5.4, BACKEND, 91),
    (4.2, FRONTEND, 62),
    (2.3, BACKEND, 70),
)
#: Hours ago, who: a mapping of their role frees them.
UNMAPPED = (
    (6.5, Person("Sommerlinde", DESIGNER, name="Großblättrige Sommerlinde")),
    (3.5, Person("Yamazakura", DESIGNER, name="ヤマザクラ")),
)
#: Hours ago, who, and whether the invitation was sent whose answer was lost.
UNANSWERED = (
    (7.5, Person("Mammutbaum", BACKEND, name="Riesenmammutbaumsamenzapfenschuppenharztropfen"), True),
    (2.5, Person("Zitterpappel", FRONTEND), False),
)
#: Held because of a tag.
HELD = Person("Hinoki", BACKEND, tags=(HOLD_TAG,), name="ヒノキ（檜）")
WORDS = ("Rosewood", "Sassafras", "Teak", "Tupelo", "Walnut", "Whitebeam", "Wisteria", "Yucca")


def add_accounts(platforms: Platforms) -> None:
    """Add the organization's accounts to both platforms, where no extension is on."""
    account = platforms.lever.platform.add_account(
        lever_seed.new_account(PUBLISHED, platforms.lever.platform.sender)
    )
    for role, assessment in ((BACKEND, "Backend"), (FRONTEND, "Frontend Developer")):
        lever_seed.add_posting(account, role, f"CodeScreen {assessment}")
    platforms.codescreen.platform.add_account(codescreen_seed.new_account(PUBLISHED, assessments=2))


def events(acts: Acts, now: datetime) -> Iterator[Event]:
    """Yield what happens there, in no order; what is planned for later than now, too."""
    words = iter(WORDS)
    yield Event(ago(now, BAR_DAYS), partial(acts.change_policies, OWNER, passing_score=BAR))
    for days, role, score in EVALUATED:
        person, at = Person(next(words), role), ago(now, days)
        yield from entry(acts, person, at)
        yield from _seen(acts, person, at + timedelta(hours=17), "start")
        yield from _seen(acts, person, at + timedelta(hours=20), "submit")
        yield from _seen(acts, person, at + timedelta(hours=20.2), "evaluate", score=score)
    for days, role in ((1.3, BACKEND), (0.25, FRONTEND)):
        yield from entry(acts, Person(next(words), role), ago(now, days))
    at_work = Person(next(words), BACKEND)
    yield from entry(acts, at_work, ago(now, 1.1))
    yield from _seen(acts, at_work, now - timedelta(hours=3), "start")
    yield from _waiting(acts, now)


def _waiting(acts: Acts, now: datetime) -> Iterator[Event]:
    """Yield who waits for a person: for an assessment, for what CodeScreen shows, and for a yes."""
    yield Event(ago(now, BAR_DAYS) + 2 * MINUTE, partial(acts.change_policies, OWNER, hold_tag=HOLD_TAG))
    for hours, person in UNMAPPED:
        yield from entry(acts, person, ago(now, hours=hours))
    for hours, person, is_sent in UNANSWERED:
        at = ago(now, hours=hours)
        yield Event(at - MINUTE, partial(acts.lose_next_answer, is_sent=is_sent))
        yield from entry(acts, person, at)
        yield Event(at + 2 * MINUTE, acts.update_incidents)
    yield from entry(acts, HELD, ago(now, hours=4.5))
    yield Event(ago(now, hours=4.5) + 2 * MINUTE, acts.update_incidents)


def _seen(acts: Acts, person: Person, at: datetime, step: str, **result: object) -> Iterator[Event]:
    """Yield a step of the candidate, and that the portal asks soon after."""
    yield Event(at, partial(acts.step, person, step, **result))
    yield Event(at + timedelta(minutes=6), acts.poll)
