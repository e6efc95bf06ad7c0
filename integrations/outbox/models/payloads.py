"""What an effect's row says that it is to do, by its kind."""

from dataclasses import dataclass, field

from integrations.outbox.models.enqueue import Payload


@dataclass(frozen=True)
class ProgressTagPayload(Payload):
    """The progress tag that the opportunity is to have."""

    tag: str = ""


@dataclass(frozen=True)
class ResultTagPayload(Payload):
    """The customer's tag to add, empty for none, and the tags to remove."""

    tag: str = ""
    others: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FeedbackPayload(Payload):
    """The id of the Result to write."""

    result: int = 0


@dataclass(frozen=True)
class ReportLinkPayload(Payload):
    """The address of CodeScreen's report; empty when it was erased."""

    url: str = ""


@dataclass(frozen=True)
class AttachReportPayload(Payload):
    """The id of the Result to attach, and the file's name, by which an earlier try's is recognized."""

    result: int = 0
    name: str = ""


@dataclass(frozen=True)
class MoveStagePayload(Payload):
    """The stage to move the candidate to: as the rules write it, from the first attempt on as Lever names it."""

    stage: str = ""


@dataclass(frozen=True)
class NotePayload(Payload):
    """The text of a note, and what it is about: a verdict, a wait, or what happened to an invitation."""

    text: str = ""
    code: str = ""
