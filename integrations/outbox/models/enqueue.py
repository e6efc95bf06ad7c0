"""What an effect's row says that it is to do, by its kind; effects are enqueued in the transaction that needs them."""

from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta
from typing import Any, Self, TypedDict, Unpack

from integrations.core import correlation
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.outbox.models.effect import Effect
from integrations.store import database
from integrations.store.columns import truncated_key


@dataclass(frozen=True)
class Payload:
    """A dataclass kept as JSON in an effect. Unknown keys are ignored, so that an older row stays readable."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return what was stored. Raises TypeError when a key is missing that has no default."""
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})


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


#: Smaller goes first among what one candidate waits for; of other kinds it is USUAL.
PRIORITIES: dict[str, int] = {
    Effect.Kind.SEND_INVITATION: 2,
    Effect.Kind.SET_PROGRESS_TAG: 3,
    Effect.Kind.REMOVE_REPORT: 3,
    Effect.Kind.SET_RESULT_TAG: 4,
    Effect.Kind.WRITE_FEEDBACK: 4,
    Effect.Kind.ADD_REPORT_LINK: 4,
    Effect.Kind.MAKE_TEMPLATE: 4,
    Effect.Kind.LEAVE_NOTE: 6,
}
USUAL = 5


class About(TypedDict, total=False):
    """What an effect is about; the opportunity is the invitation's unless it is given."""

    about: str
    version: str
    invitation: Invitation | None
    delivery: Delivery | None
    opportunity_id: str
    email_topic: str
    member: Membership | None


def enqueue(
    organization_id: int,
    kind: Effect.Kind,
    key: str,
    payload: Payload | None = None,
    priority: int | None = None,
    wait: timedelta = timedelta(0),
    **about: Unpack[About],
) -> None:
    """Store the effect, due after `wait`, unless there is one of this kind and key."""
    effect = Effect(
        organization_id=organization_id,
        kind=kind,
        key=truncated_key(key),
        payload=payload.to_json() if payload else {},
        correlation_id=correlation.current_or_new(),
        priority=PRIORITIES.get(kind, USUAL) if priority is None else priority,
        **about,
    )
    if effect.invitation is not None:
        effect.opportunity_id = effect.opportunity_id or effect.invitation.opportunity_id
    if wait:
        effect.due_at = effect.retry_window_started_at = database.now() + wait
    database.insert_unless_stored(effect, "kind", "organization_id", "key")
