"""What is on record about one candidate: what the portal wrote to Lever, word for word, and the technical record."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from integrations.clients.models import ApiCall
from integrations.core.vocabulary import Tone
from integrations.http.redaction import redact
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict, next_step
from integrations.outbox.kind import EffectKind, Words
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import kind_of
from integrations.pages.candidate.rows import CandidateRows
from integrations.privacy.models import Erasure

Kind, State = Effect.Kind, Effect.State


def redacted_json(payload: object) -> str:
    """Return a payload as indented JSON without personal data and secrets."""
    return json.dumps(redact(payload), indent=2, ensure_ascii=False, sort_keys=True)


REPLACED = "It is no longer in Lever."
ERASED = "The words were erased with the person's data."
#: By state: what is said of it, and the tone. A cancelled one wrote nothing.
STATES = {
    State.DONE.value: ("Written", Tone.GOOD),
    State.DUE.value: ("Waiting", Tone.INFO),
    "leased": ("Being written", Tone.INFO),
    State.FAILED.value: ("Not written", Tone.BAD),
    State.UNCERTAIN.value: ("Possibly written", Tone.WARN),
}


@dataclass(frozen=True)
class WrittenItem:
    """One thing that was or is to be written to Lever: its words, its state with the tone, and when.

    The remark stands where words lack, or for what became of it. `is_replaced` where later writes took its place.
    """

    effect: Effect
    kind: EffectKind
    state: str
    tone: Tone
    at: datetime
    words: Words
    remark: str
    is_replaced: bool = False


def written_to_lever(effects: Iterable[Effect], erasure: Erasure | None) -> list[WrittenItem]:
    """Return what was written and what is to be, the newest first; what was no longer wanted is left out."""
    items = [_item(one, erasure) for one in effects if kind_of(one).heading and not one.wrote_nothing]
    newest_first = sorted(items, key=lambda item: (item.at, item.effect.pk), reverse=True)
    later: set[object] = set()
    for number, item in enumerate(newest_first):
        if item.effect.state == State.DONE:
            taken = _takes(item)
            if taken and taken <= later:
                remark = item.remark or (REPLACED if item.words.file else "")
                newest_first[number] = replace(item, is_replaced=True, remark=remark)
            later |= taken | set(item.words.removed)
    return newest_first


def _item(effect: Effect, erasure: Erasure | None) -> WrittenItem:
    kind = kind_of(effect)
    words, (state, tone) = kind.words(effect), STATES[effect.shown_state]
    at = effect.done_at or (effect.failed_at if effect.state == State.FAILED else None) or effect.created_at
    remark = ""
    if effect.state == State.DONE and words.missing:
        remark = ERASED if erasure is not None and at <= erasure.erased_at else words.missing
    return WrittenItem(effect, kind, state, tone, at, words, remark)


def _takes(item: WrittenItem) -> set[object]:
    """Return what a later write replaces: an invitation's one feedback or report, or tags; nothing of what stays."""
    if item.effect.kind in {Kind.ATTACH_REPORT, Kind.REMOVE_REPORT}:
        return {(Kind.ATTACH_REPORT, item.effect.invitation_id)}
    if item.effect.kind == Kind.WRITE_FEEDBACK:
        return {(Kind.WRITE_FEEDBACK, item.effect.invitation_id)}
    return set(item.words.tags)


class EntryKind(StrEnum):
    """What an entry of the technical record is about; its name is a class of the style sheet."""

    DELIVERY = "delivery"
    VERDICT = "verdict"
    EFFECT = "effect"
    CALL = "call"


@dataclass(frozen=True)
class Entry:
    """One row: a delivery with its redacted payload, a verdict with its next step, an effect or a call."""

    kind: EntryKind
    at: datetime
    row: Delivery | Verdict | Effect | ApiCall
    more: str = ""


@dataclass(frozen=True)
class TechnicalRecord:
    """What happened, row by row, the newest first, and whether there may be more rows of some kind."""

    entries: list[Entry]
    is_cut: bool


def technical_record(rows: CandidateRows) -> TechnicalRecord:
    """Return the record of a candidate, whose rows were read; of calls as many are read as of each other kind."""
    calls = list(ApiCall.objects.filter(**rows.own).order_by("-at", "-pk")[: rows.most])
    entries = [Entry(EntryKind.CALL, one.at, one) for one in calls]
    entries += [Entry(EntryKind.EFFECT, one.created_at, one) for one in rows.newest_effects]
    for verdict in rows.verdicts:
        step = next_step(verdict.code, verdict.invitation) if verdict.is_current else ""
        entries.append(Entry(EntryKind.VERDICT, verdict.decided_at, verdict, step))
    entries += [
        Entry(EntryKind.DELIVERY, one.received_at, one, redacted_json(one.payload)) for one in rows.deliveries
    ]
    # of entries at the same time, those of the last step stand first: sorting is stable
    newest_first = sorted(entries, key=lambda one: one.at, reverse=True)
    return TechnicalRecord(newest_first, rows.is_cut or len(calls) >= rows.most)
