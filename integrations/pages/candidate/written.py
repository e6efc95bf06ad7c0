"""What the portal wrote to Lever about one candidate, word for word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from integrations.models import Effect, Erasure
from integrations.pages.activity.standing import Meaning
from integrations.report_pdf.words import ReportWords
from integrations.workflow.outbox.intended import intended_tags
from integrations.workflow.outbox.payloads import (
    MoveStagePayload,
    NotePayload,
    ReportLinkPayload,
)
from integrations.workflow.outbox.written import FeedbackWritten, FileWritten, TagsWritten

Kind, State = Effect.Kind, Effect.State
NOT_RECORDED = "The exact words weren't kept when this was written."
REMOVAL_NOT_RECORDED = "Which tags it replaced wasn't kept when this was written."
REPLACED = "It is no longer in Lever: a later report took its place."
ERASED = "The words were erased with the person's data."
#: By kind: the label and the icon.
KINDS = {
    Kind.WRITE_FEEDBACK: ("Feedback", "edit"),
    Kind.LEAVE_NOTE: ("Note", "info"),
    Kind.SET_PROGRESS_TAG: ("Tags", "filter"),
    Kind.SET_RESULT_TAG: ("Tags", "filter"),
    Kind.ADD_REPORT_LINK: ("Link", "link"),
    Kind.ATTACH_REPORT: ("Report as a PDF", "download"),
    Kind.REMOVE_REPORT: ("Report removed", "trash"),
    Kind.MOVE_STAGE: ("Stage", "play"),
}
#: By state: what is said of it, and the tone. A cancelled one wrote nothing.
STATES = {
    State.DONE.value: ("Written", Meaning.GOOD),
    State.DUE.value: ("Waiting", Meaning.INFO),
    "leased": ("Being written", Meaning.INFO),
    State.FAILED.value: ("Not written", Meaning.BAD),
    State.UNCERTAIN.value: ("Possibly written", Meaning.WARN),
}


@dataclass(frozen=True)
class Words:
    """What Lever was given: feedback's fields, a note's text, a link, a stage, a file or tags.

    A remark stands where words lack, or for what became of it.
    """

    values: Sequence[tuple[str, str]] = ()
    text: str = ""
    url: str = ""
    stage: str = ""
    file: str = ""
    tags: TagsWritten = field(default_factory=TagsWritten)
    remark: str = ""


@dataclass(frozen=True)
class WrittenItem:
    """One thing that was or is to be written to Lever: its words, its state with the tone, and when."""

    effect: Effect
    label: str
    icon: str
    state: str
    tone: Meaning
    at: datetime
    words: Words


def written_to_lever(effects: Iterable[Effect], erasure: Erasure | None) -> list[WrittenItem]:
    """Return what was written and what is to be, the newest first; what was no longer wanted is left out."""
    effects = list(effects)
    current = current_reports(effects)
    items = [
        _item(effect, erasure, "" if effect in current else REPLACED)
        for effect in effects
        if effect.kind in KINDS and effect.state != State.CANCELLED and not wrote_nothing(effect)
    ]
    return sorted(items, key=lambda item: item.at, reverse=True)


def wrote_nothing(effect: Effect) -> bool:
    """Whether a done effect had nothing to write, as its `last_error` says.

    A later attempt has the feedback, the candidate was in the stage already, or there was no file left.
    """
    may_be_left = effect.kind in {Kind.WRITE_FEEDBACK, Kind.MOVE_STAGE, Kind.REMOVE_REPORT}
    return may_be_left and effect.state == State.DONE and not effect.written and bool(effect.last_error)


def current_reports(effects: Iterable[Effect]) -> list[Effect]:
    """Return the effects whose reports are in Lever now: of each invitation the one attached last, unless removed."""
    last: dict[int | None, Effect] = {}
    of_reports = (Kind.ATTACH_REPORT, Kind.REMOVE_REPORT)
    done = [one for one in effects if one.kind in of_reports and one.state == State.DONE and one.done_at]
    for effect in sorted(done, key=lambda one: (one.done_at, one.pk)):
        last[effect.invitation_id] = effect
    return [effect for effect in last.values() if effect.kind == Kind.ATTACH_REPORT]


def _item(effect: Effect, erasure: Erasure | None, replaced: str) -> WrittenItem:
    label, icon = KINDS[Kind(effect.kind)]
    state, tone = STATES[effect.shown_state]
    at = effect.done_at or (effect.failed_at if effect.state == State.FAILED else None) or effect.created_at
    is_erased = erasure is not None and at <= erasure.erased_at
    words = _words(effect, ERASED if is_erased else "", replaced)
    return WrittenItem(effect, label, icon, state, tone, at, words)


def _words(effect: Effect, erased: str, replaced: str) -> Words:
    """Return the words of an effect.

    `erased` is the remark in place of what is missing, empty when none was erased; `replaced` is the remark on a report
    that Lever no longer has.
    """
    is_done = effect.state == State.DONE
    missing = Words(remark=(erased or NOT_RECORDED) if is_done else "")
    match Kind(effect.kind):
        case Kind.WRITE_FEEDBACK:
            written = FeedbackWritten.from_json(effect.written)
            return (
                Words(values=[(name, value) for name, value in written.values]) if effect.written else missing
            )
        case Kind.LEAVE_NOTE:
            text = NotePayload.from_json(effect.payload).text
            return Words(text=text) if text else missing
        case Kind.ADD_REPORT_LINK:
            return Words(url=ReportLinkPayload.from_json(effect.payload).url) if effect.payload else missing
        case Kind.ATTACH_REPORT:
            if not effect.written:
                return missing
            file = FileWritten.from_json(effect.written)
            return Words(values=ReportWords.from_json(file.words).values, file=file.name, remark=replaced)
        case Kind.REMOVE_REPORT:
            return Words()
        case Kind.MOVE_STAGE:
            return Words(stage=MoveStagePayload.from_json(effect.payload).stage)
        case _:
            if effect.written:
                return Words(tags=TagsWritten.from_json(effect.written))
            remark = (erased or REMOVAL_NOT_RECORDED) if is_done else ""
            return Words(tags=TagsWritten(added=intended_tags(effect)), remark=remark)
