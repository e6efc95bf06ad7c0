"""An effect as a line of a candidate's history."""

from collections.abc import Callable, Iterator, Mapping

from integrations.models import Effect
from integrations.pages.activity.standing import Meaning
from integrations.pages.candidate.event import Event
from integrations.pages.candidate.written import KINDS, wrote_nothing
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.outbox.intended import intended_tags
from integrations.workflow.outbox.payloads import MoveStagePayload, NotePayload

Kind, State = Effect.Kind, Effect.State
LONGEST_NOTE = 120


def effect_event(effect: Effect) -> Iterator[Event]:
    """Yield what an effect did, or that it failed; nothing while it waits, or where another line says it."""
    kind = Kind(effect.kind)
    if kind == Kind.SEND_INVITATION or kind not in _DONE:
        return
    icon = KINDS[kind][1] if kind in KINDS else "mail"
    if effect.state == State.FAILED and effect.failed_at:
        yield Event(effect.failed_at, _FAILED[kind], effect.last_error, icon="warning", tone=Meaning.BAD)
    elif effect.state == State.DONE and effect.done_at and wrote_nothing(effect):
        yield Event(effect.done_at, effect.last_error, icon=icon)
    elif effect.state == State.DONE and effect.done_at:
        yield Event(effect.done_at, _DONE[kind](effect), icon=icon)


def _note(effect: Effect) -> str:
    text = NotePayload.from_json(effect.payload).text
    short = text if len(text) <= LONGEST_NOTE else f"{text[:LONGEST_NOTE].rstrip()}…"
    return f"Note left in Lever: “{short}”" if text else "Note left in Lever"


def _tags(effect: Effect) -> str:
    written = effect.written.get("added") if effect.written else None
    tags = written if isinstance(written, list) else intended_tags(effect)
    if not tags:
        return "Tag removed in Lever"
    what = "Tag" if len(tags) == 1 else "Tags"
    return f"{what} set to {' and '.join(f'“{tag}”' for tag in tags)}"


def _email(effect: Effect) -> str:
    subject = EmailPayload.from_json(effect.payload).subject
    return f"E-mail sent to the team: “{subject}”" if subject else "E-mail sent to the team"


_DONE: Mapping[str, Callable[[Effect], str]] = {
    Kind.SET_PROGRESS_TAG: _tags,
    Kind.SET_RESULT_TAG: _tags,
    Kind.MOVE_STAGE: lambda effect: (
        f"Moved into “{MoveStagePayload.from_json(effect.payload).stage}” in Lever by the portal"
    ),
    Kind.WRITE_FEEDBACK: lambda _: "Feedback written in Lever",
    Kind.ADD_REPORT_LINK: lambda _: "Report link added in Lever",
    Kind.ATTACH_REPORT: lambda _: "Report attached in Lever",
    Kind.REMOVE_REPORT: lambda _: "Report removed from Lever",
    Kind.LEAVE_NOTE: _note,
    Kind.SEND_EMAIL: _email,
    Kind.SEND_ALERT: lambda _: "Alert sent",
}
_FAILED: Mapping[str, str] = {
    Kind.SET_PROGRESS_TAG: "The tag could not be set",
    Kind.SET_RESULT_TAG: "The tag could not be set",
    Kind.MOVE_STAGE: "The candidate was not moved in Lever",
    Kind.WRITE_FEEDBACK: "The feedback could not be written",
    Kind.ADD_REPORT_LINK: "The report link could not be added",
    Kind.ATTACH_REPORT: "The report could not be attached",
    Kind.REMOVE_REPORT: "The report could not be removed from Lever",
    Kind.LEAVE_NOTE: "The note could not be left",
    Kind.SEND_EMAIL: "An e-mail to the team could not be sent",
    Kind.SEND_ALERT: "An alert could not be sent",
}
