"""What an effect of each kind carries: written when it is enqueued, read when it is performed."""

from dataclasses import asdict, dataclass, field, fields
from typing import Self

from integrations.http.json_types import JsonObject


@dataclass(frozen=True)
class Payload:
    """A dataclass kept as JSON. Unknown keys are ignored, so that an older row stays readable."""

    def to_json(self) -> JsonObject:
        """Return what is stored in `Effect.payload`."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: JsonObject) -> Self:
        """Return the payload of a stored effect. Raises TypeError when a key is missing."""
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})


@dataclass(frozen=True)
class InvitationPayload(Payload):
    """Whether the last call to CodeScreen carried an idempotency key; None before the first call.

    `is_chosen` when a person had it sent, knowing that the candidate may be invited already.
    """

    idempotent: bool | None = None
    is_chosen: bool = False


@dataclass(frozen=True)
class ResultTagPayload(Payload):
    """The customer's tag to add, empty for none, the tags to remove, and the outcome that they stand for."""

    tag: str = ""
    others: list[str] = field(default_factory=list)
    outcome: str = ""


@dataclass(frozen=True)
class ProgressTagPayload(Payload):
    """The progress tag that the opportunity is to have; `result` is the payload of a result tag set with it."""

    tag: str
    result: JsonObject | None = None

    @property
    def result_tag(self) -> ResultTagPayload | None:
        """The result tag that is set in the same calls, None when there is none."""
        return None if self.result is None else ResultTagPayload.from_json(self.result)


@dataclass(frozen=True)
class MoveStagePayload(Payload):
    """The stage to move the candidate to: as the policy writes it, and once the move has started its name in Lever."""

    stage: str


@dataclass(frozen=True)
class ReportLinkPayload(Payload):
    """The address of CodeScreen's report."""

    url: str


@dataclass(frozen=True)
class AttachReportPayload(Payload):
    """The id of the Result to attach, and the file's name, by which an earlier try's is recognized.

    `words` is what the file says, since its upload was about to begin; erasure empties it.
    """

    result: int
    name: str
    words: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class NotePayload(Payload):
    """The text of a note, and the code by which it is left once per opportunity."""

    text: str = ""
    code: str = ""


@dataclass(frozen=True)
class FeedbackPayload(Payload):
    """The id of the Result to write."""

    result: int
