"""What happens in a history: each act with its time, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum, auto

from integrations.vocabulary import Thresholds
from portal.devtools.demo.history.people import Person

OWNER, LEAD, RECRUITER = "demo", "lead", "recruiter"


# in Lever


@dataclass(frozen=True)
class Add:
    """A person applies."""

    person: Person


@dataclass(frozen=True)
class Move:
    """A person is moved to a stage, and at once back again if it `is_undone`."""

    person: Person
    stage: str
    is_undone: bool = False
    answer_is_lost: bool = False  # CodeScreen's, to the invitation that follows


@dataclass(frozen=True)
class MoveTogether:
    """Several people are moved to a stage at once."""

    people: tuple[Person, ...]
    stage: str


@dataclass(frozen=True)
class Archive:
    """A person is archived."""

    person: Person
    reason: str


# in CodeScreen


class Step(StrEnum):
    """A step of a candidate in CodeScreen, as the pretend platform calls it."""

    START = "start"
    SUBMIT = "submit"
    EVALUATE = "evaluate"
    REGRADE = "regrade"
    EXPIRE = "expire"
    BOUNCE = "bounce"


@dataclass(frozen=True)
class TakeStep:
    """A candidate takes a step; `result` is what an evaluation states."""

    person: Person
    step: Step
    result: Mapping[str, object] = field(default_factory=dict)


# at the portal, by the team


@dataclass(frozen=True)
class ChangePolicies:
    """A member changes policies."""

    by: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class MapRole:
    """A role is mapped to an assessment, or its mapping is changed."""

    role: str
    assessment: str
    stage: str = ""


@dataclass(frozen=True)
class Rate:
    """The thresholds of an assessment are set."""

    assessment: str
    thresholds: Thresholds


@dataclass(frozen=True)
class Replay:
    """The person's latest stage change is decided again."""

    person: Person


@dataclass(frozen=True)
class Approve:
    """The held invitation that has waited longest is sent."""

    reason: str


@dataclass(frozen=True)
class CancelHeld:
    """The held invitation that has waited longest is withdrawn."""

    reason: str


@dataclass(frozen=True)
class Resolve:
    """The person's uncertain invitation is marked as sent."""

    person: Person
    reason: str


@dataclass(frozen=True)
class Cancel:
    """The person's invitation is withdrawn."""

    person: Person
    reason: str


@dataclass(frozen=True)
class InviteAgain:
    """The person's next round begins."""

    person: Person
    reason: str


class Occurrence(Enum):
    """What isn't about a person: a platform fails or works again, or the clock has something done."""

    CODESCREEN_FAILS = auto()
    CODESCREEN_WORKS = auto()
    WEBHOOKS_ARE_LOST = auto()
    WEBHOOKS_ARRIVE = auto()
    FORGED_WEBHOOK = auto()
    WORK = auto()
    SWEEP = auto()
    UPDATE_INCIDENTS = auto()


type TeamAct = (
    ChangePolicies | MapRole | Rate | Replay | Approve | CancelHeld | Resolve | Cancel | InviteAgain
)
type Act = Add | Move | MoveTogether | Archive | TakeStep | TeamAct | Occurrence


@dataclass(frozen=True)
class Event:
    """One act at a moment."""

    at: datetime
    act: Act
