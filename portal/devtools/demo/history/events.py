"""What happens in a history: each act with its time, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum, auto

from integrations.core.vocabulary import Thresholds

TREES = tuple(
    """
    Acacia Almond Apple Apricot Araucaria Arbutus Ash Avocado Balsa Banyan Baobab Basswood Bay Boxwood
    Buckeye Buckthorn Butternut Camphor Carob Cashew Cassia Catalpa Cherry Chestnut Citron Clementine
    Cork Cottonwood Cypress Damson Durian Ebony Elder Eucalyptus Fig Filbert Frangipani Guava Hackberry
    Hawthorn Hemlock Hickory Holly Hornbeam Ironwood Jacaranda Kapok Kauri Kumquat Laburnum Laurel Lemon
    Lilac Lime Linden Locust Lychee Magnolia Mahogany Mango Mangrove Medlar Mesquite Mimosa Mulberry
    Myrtle Neem Nutmeg Osier Palm Papaya Paulownia Peach Pear Pecan Persimmon Pistachio Plane Plum
    Pomelo Poplar Privet Redbud Redwood Rosewood Sandalwood Sassafras Satinwood Silverbell Sumac
    Sycamore Tamarind Teak Thuja Tulip Tupelo Viburnum Walnut Wattle Wingnut Wisteria Zebrawood
    """.split()  # noqa: SIM905 a list would take a hundred lines
)
BACKEND, FRONTEND, DATA, SRE, MOBILE, DESIGN = (
    "Backend Engineer",
    "Frontend Engineer",
    "Data Engineer",
    "Site Reliability Engineer",
    "Mobile Engineer",
    "Product Designer",
)
#: What a candidate for the posting is sent, by its tag or by a mapping.
ASSESSMENTS = {
    BACKEND: "Backend",
    FRONTEND: "Frontend Developer",
    DATA: "Data Engineer",
    SRE: "SRE Troubleshooting",
}
#: After how many days CodeScreen ends the time to start.
DAYS_TO_START = {"Backend": 7, "Frontend Developer": 7, "Data Engineer": 5, "SRE Troubleshooting": 3}
#: CodeScreen gives no score for it.
UNSCORED = "SRE Troubleshooting"


@dataclass(frozen=True)
class Person:
    """One candidacy; `same_person_as` is the word of another one, whose contact it shares."""

    word: str
    posting: str = BACKEND
    has_email: bool = True
    tags: tuple[str, ...] = ()
    same_person_as: str = ""
    may_be_contacted: bool = True
    time_zone: str = ""

    @property
    def email(self) -> str:
        """The person's address, empty if they have none."""
        return f"{(self.same_person_as or self.word).lower()}@candidates.example" if self.has_email else ""

    @property
    def assessment(self) -> str:
        """The assessment that they are sent."""
        tagged = [tag.removeprefix("CodeScreen ") for tag in self.tags if tag.startswith("CodeScreen ")]
        return ASSESSMENTS.get(self.posting) or (tagged[0] if tagged else "")


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
    next_assessment: str = ""


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
    POLL = auto()
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
