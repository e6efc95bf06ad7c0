"""What a report says, word for word."""

from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Self

from integrations.http.json_types import JsonObject


@dataclass(frozen=True)
class ReportWords:
    """Every text of a report; the same words give the same bytes. What isn't known is empty.

    `candidate` is a first name, empty where the organization leaves it out. `outcome` is CodeScreen's word and decides
    the colour alone; `result` is what the report says of it. `dates` has a text for each date that is known, in the
    time zone that `zone` names. `made_at` is the time of the result, in ISO 8601.
    """

    organization: str = ""
    candidate: str = ""
    assessment: str = ""
    role: str = ""
    outcome: str = ""
    result: str = ""
    score: str = ""
    rating: str = ""
    reason: str = ""
    report_url: str = ""
    dates: list[list[str]] = field(default_factory=list)
    zone: str = ""
    reference: str = ""
    made_at: str = ""

    def to_json(self) -> JsonObject:
        """Return the words as they are stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: JsonObject) -> Self:
        """Return stored words; unknown keys are ignored, and those that are missing are empty."""
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})

    @property
    def moment(self) -> datetime:
        """The time of the result; without one, the beginning of 1970, so that the bytes stay the same."""
        return datetime.fromisoformat(self.made_at) if self.made_at else datetime.fromtimestamp(0, UTC)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The facts below the result, each with its label, in order; none without a text."""
        facts = [
            ("Candidate", self.candidate),
            ("Role", self.role),
            ("Failure reason", self.reason),
            *((label, text) for label, text in self.dates),
        ]
        return [(label, text) for label, text in facts if text]

    @property
    def values(self) -> list[tuple[str, str]]:
        """Everything that the report says, each with its label, in order; none without a text."""
        said = [
            ("Result", self.result),
            ("Score", self.score),
            ("Rating", self.rating),
            ("Assessment", self.assessment),
            *self.lines,
            ("Times are in", self.zone if self.dates else ""),
            ("Report in CodeScreen", self.report_url),
        ]
        return [(label, text) for label, text in said if text]
