"""Whatever happens to a candidate, in whatever order: people get what they were promised.

HISTORIES in the environment says how many are played, such as 10000, and FIRST_HISTORY the number of the first one, by
which each is drawn; else one of each beginning is played.
"""

import logging
import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from portal.devtools.chaos.every_point.faults import FaultKind
from portal.devtools.chaos.every_point.platforms import Platforms
from portal.devtools.clock import PretendClock
from tests.support.history import (
    AFTER_PASS,
    HOLD_TAG,
    ONE,
    OTHER,
    OUTSIDE,
    REFUSALS,
    ROLES,
    STAGE,
    TAKE_HOME,
    History,
    Kept,
)
from tests.support.promises import check, why_not_to_send
from tests.support.undone import Wire, undone

pytestmark = pytest.mark.django_db(transaction=True)

HISTORIES = int(os.environ.get("HISTORIES", "0"))


type Event = tuple[Any, ...]  # the name of a method of History, and its arguments; of a list one is drawn
WORDS = [ONE, ONE, OTHER]
ASSESSMENTS = ["Backend", "Frontend Developer"]
RESULTS = [None, None, "Passed", "Failed"]
FAULTS = [FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER, FaultKind.TOO_MANY, FaultKind.ERROR, 404]
WAITS = [timedelta(minutes=5), timedelta(hours=2), timedelta(days=2), timedelta(days=8)]
#: What may happen, each with its weight.
EVENTS: list[tuple[int, Event]] = [
    (8, ("move", WORDS, [STAGE, STAGE, TAKE_HOME])),
    (4, ("move", WORDS, [OUTSIDE, AFTER_PASS])),
    (6, ("take", [0, 1], ["start", "submit", "expire", "reopen", "bounce"])),
    (6, ("finish", [0, 1], [90, 40, None], RESULTS)),
    (5, ("take", [0, 1], "regrade", [90, 40, None], RESULTS)),
    (4, ("pass_time", WAITS)),
    (5, ("fail", "CodeScreen", "write", FAULTS)),
    (4, ("fail", ["Lever", "CodeScreen"], ["read", "write", "feedback", "tags", "stage"], FAULTS[:4])),
    (2, ("change_posting", WORDS, ROLES)),
    (3, ("tag", WORDS, [HOLD_TAG, "CodeScreen Frontend Developer"], [True, True, False])),
    (1, ("correct_email", "tamarack.new@candidates.example")),
    (3, ("archive", WORDS, [True, False])),
    (1, ("lose_webhooks",)),
    (2, ("sweep",)),
    (1, ("rest",)),
    (3, ("map_role", ROLES, ["", TAKE_HOME], ASSESSMENTS)),
    (1, ("unmap_role", ROLES, ["", TAKE_HOME])),
    (3, ("approve_each", ROLES, ["always", "always", ""])),
    (3, ("set_rule", "stage_on_pass", [AFTER_PASS, TAKE_HOME, ""])),
    (1, ("set_rule", ["note_on_skip", "attach_report", "paused"], [True, False])),
    (1, ("set_rule", "passing_score", [70, None])),
    (1, ("set_rule", "reentry_days", [1, 0])),
    (2, ("connect", [True, False])),
    *[(3, (act, WORDS)) for act in ("approve", "resolve", "send_again", "invite_again")],
    (2, ("cancel", WORDS)),
    (6, ("choose", WORDS, ["", *ASSESSMENTS])),
    (4, ("back_up",)),
    (5, ("restore",)),
    (2, ("anonymize",)),
    (2, ("delete", WORDS)),
    (2, ("forget_person", WORDS)),
]
WORK: Event = ("work",)
MOVED: Event = ("move", ONE, STAGE)
BACKEND = ROLES[0]
INVITED = [MOVED, WORK]
LOST = [("fail", "CodeScreen", "write", FaultKind.TIMEOUT_AFTER), *INVITED]
HELD = [("approve_each", BACKEND, "always"), *INVITED]
HELD_OTHER = [
    ("approve_each", ROLES[1], "always"),
    ("map_role", ROLES[1], "", "Backend"),
    ("move", OTHER, STAGE),
    WORK,
]
REFUSED = [("fail", "CodeScreen", "write", 404), *INVITED]
TOO_MANY: Event = ("fail", "CodeScreen", "write", FaultKind.TOO_MANY)
BUSY = [TOO_MANY, *INVITED]
PASSED = [*INVITED, ("finish", 0, 90, "Passed")]
FAILED = [*INVITED, ("finish", 0, 40, "Failed"), WORK]
#: How histories begin, in turn.
BEGINNINGS: list[list[Event]] = [
    [],
    INVITED,
    PASSED,
    [*LOST, ("resolve", ONE)],
    [*LOST, ("cancel", ONE)],
    [("fail", "CodeScreen", "write", FaultKind.TIMEOUT_BEFORE), *INVITED, ("resolve", ONE), WORK],
    [*FAILED, ("take", 0, "regrade", 90, "Passed"), ("poll",), WORK, ("take", 0, "regrade", 40, "Failed")],
    [*INVITED, ("take", 0, "expire"), WORK],
    [*PASSED, WORK, ("take", 0, "reopen"), ("poll",), WORK],
    [*REFUSED, ("send_again", ONE), WORK],
    [("unmap_role", BACKEND, ""), *INVITED, ("choose", ONE, "Backend"), WORK],
    [*REFUSED, TOO_MANY, ("move", OTHER, STAGE), WORK, ("send_again", ONE), ("pass_time", WAITS[0]), WORK],
    [("set_rule", "stage_on_pass", TAKE_HOME), *PASSED, WORK, WORK],
    [*INVITED, ("back_up",), ("finish", 0, None, None), WORK, ("restore",), WORK],
    [*PASSED, WORK, ("move", ONE, TAKE_HOME), WORK, ("take", 1, "start")],
    [*INVITED, ("move", ONE, TAKE_HOME), WORK, ("finish", 1, 90, "Passed"), WORK],
    [*HELD, ("tag", ONE, HOLD_TAG, True), ("approve", ONE), WORK],
    [*HELD, ("map_role", BACKEND, "", "Frontend Developer"), ("approve", ONE), WORK],
    [*BUSY, ("map_role", BACKEND, "", "Frontend Developer"), ("pass_time", WAITS[0]), WORK],
    [*BUSY, ("archive", ONE, True), ("pass_time", WAITS[0]), WORK],
    [*BUSY, ("move", ONE, OUTSIDE), ("lose_webhooks",), ("pass_time", WAITS[0]), WORK],
    [("set_rule", "paused", True), *INVITED, ("forget_person", ONE), ("set_rule", "paused", False), WORK],
    [*INVITED, ("move", OTHER, STAGE), WORK],
    [*BUSY, ("move", OTHER, STAGE), WORK, ("pass_time", WAITS[0]), WORK],
    [("back_up",), *INVITED, ("restore",), WORK],
    [("back_up",), *INVITED, ("restore",), ("move", OTHER, STAGE), WORK],
    [("back_up",), *INVITED, ("restore",), ("delete", ONE), ("move", OTHER, STAGE), WORK],
    [*HELD_OTHER, ("back_up",), *INVITED, ("restore",), ("approve", OTHER), WORK],
    [
        *[*INVITED, ("back_up",), ("finish", 0, None, None), WORK, ("restore",)],
        *[("move", ONE, OUTSIDE), WORK, ("invite_again", ONE), WORK],
    ],
    [
        *[("set_rule", "stage_on_pass", TAKE_HOME), *PASSED, WORK, WORK],
        *[("back_up",), ("cancel", ONE), WORK, ("restore",)],
    ],
    [*PASSED, ("fail", "Lever", "feedback", FaultKind.TIMEOUT_AFTER), WORK],
    [*PASSED, ("back_up",), WORK, ("restore",), ("cancel", ONE), ("rest",)],
    [
        ("set_rule", "stage_on_pass", AFTER_PASS),
        *PASSED,
        WORK,
        ("take", 0, "regrade", 40, "Failed"),
        ("poll",),
    ],
]


@pytest.fixture
def new_history(settings) -> Iterator[Callable[[], History]]:
    """Return what begins a history, each with platforms and rows of its own."""
    clock = PretendClock()
    wire = Wire(clock)
    platforms = Platforms(0, 0, clock)
    settings.LEVER_AUTH_URL = platforms.lever.url
    settings.LEVER_API_URL = f"{platforms.lever.url}/v1"
    settings.LEVER_AUDIENCE = f"{platforms.lever.url}/v1/"
    settings.CODESCREEN_API_URL = f"{platforms.codescreen.url}/api"
    settings.LEVER_RATE, settings.LEVER_BURST = 1000.0, 1_000_000
    logging.disable()  # of what the faults lead to
    with clock, undone(), platforms.reachable(wire):
        kept = Kept(platforms, clock, wire)
        yield lambda: History(kept, why_not_to_send)
    logging.disable(logging.NOTSET)
    for server in (platforms.lever, platforms.codescreen):
        server.stop()


@pytest.mark.slow
def test_any_history_keeps_the_promises(new_history) -> None:
    first = int(os.environ.get("FIRST_HISTORY") or random.randrange(10**9)) if HISTORIES else 0
    for number in range(first, first + (HISTORIES or len(BEGINNINGS))):
        events = [*BEGINNINGS[number % len(BEGINNINGS)], *drawn(random.Random(number))]
        if play(new_history(), events)[1]:
            lines, broken = play(new_history(), shortest(new_history, events))
            pytest.fail("\n".join([f"In history {number}:", *lines, "", broken]))


def drawn(draw: random.Random) -> list[Event]:
    """Return some events; after most of them workers work."""
    weights, templates = zip(*EVENTS, strict=True)
    events: list[Event] = []
    for template in draw.choices(templates, weights, k=draw.randint(3, 9)):
        events.append(tuple(draw.choice(one) if isinstance(one, list) else one for one in template))
        events += [WORK] * draw.choice([0, 1, 1])
    return events


def shortest(new_history: Callable[[], History], events: list[Event]) -> list[Event]:
    """Return as few of the events as still break a promise: one after another is left out."""
    for number in reversed(range(len(events))):
        fewer = events[:number] + events[number + 1 :]
        if play(new_history(), fewer)[1]:
            return shortest(new_history, fewer)
    return events


def play(history: History, events: list[Event]) -> tuple[list[str], str]:
    """Play the events, and return what happened, and which promise broke; empty when none did."""
    with history.played():
        try:
            for name, *arguments in [*events, ("rest",)]:
                happen(history, name, arguments)
                if name == "rest":
                    check(history)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the events are named
            return history.lines, f"{type(error).__name__}: {error}"
    return history.lines, ""


def happen(history: History, name: str, arguments: list[Any]) -> None:
    """Let an event happen, if it can."""
    told = ", ".join(str(getattr(one, "value", one)) for one in arguments)
    history.lines.append(f"{name.replace('_', ' ')} {told}".strip())
    try:
        getattr(history, name)(*arguments)
    except REFUSALS as error:
        history.lines[-1] += f" (can't: {str(error)[:80]})"
