"""What happens in a history: each event with its time, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from portal.devtools.demo.history.people import Person


class Act(Enum):
    """What somebody does: in Lever, as a candidate, at the portal, or what befalls a platform."""

    # in Lever
    ADD = auto()
    MOVE = auto()
    MOVE_TOGETHER = auto()
    ARCHIVE = auto()
    # in CodeScreen
    START = auto()
    SUBMIT = auto()
    EVALUATE = auto()
    REGRADE = auto()
    EXPIRE = auto()
    BOUNCE = auto()
    # at the portal
    CHANGE_POLICIES = auto()
    MAP_ROLE = auto()
    RATE = auto()
    REPLAY = auto()
    APPROVE = auto()
    REFUSE = auto()
    RESOLVE = auto()
    STOP_FOLLOWING = auto()
    INVITE_AGAIN = auto()
    # what befalls
    CODESCREEN_FAILS = auto()
    CODESCREEN_WORKS = auto()
    WEBHOOKS_ARE_LOST = auto()
    WEBHOOKS_ARRIVE = auto()
    FORGED_WEBHOOK = auto()
    # by the clock
    WORK = auto()
    SWEEP = auto()
    UPDATE_INCIDENTS = auto()


@dataclass(frozen=True)
class Event:
    """One thing that happens at a moment; most happen to one person."""

    at: datetime
    act: Act
    person: Person | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    people: tuple[Person, ...] = ()
