"""What the portal wrote to Lever about one candidate, word for word."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from integrations.core.vocabulary import Tone
from integrations.effects.kind import EffectKind, Words
from integrations.effects.perform import kind_of
from integrations.outbox.models import Effect
from integrations.privacy.models import Erasure

Kind, State = Effect.Kind, Effect.State
REPLACED = "It is no longer in Lever: a later report took its place."
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

    The remark stands where words lack, or for what became of it.
    """

    effect: Effect
    kind: EffectKind
    state: str
    tone: Tone
    at: datetime
    words: Words
    remark: str


def written_to_lever(effects: Iterable[Effect], erasure: Erasure | None) -> list[WrittenItem]:
    """Return what was written and what is to be, the newest first; what was no longer wanted is left out."""
    effects = list(effects)
    current = current_reports(effects)
    items = [
        _item(effect, erasure, is_current=effect in current)
        for effect in effects
        if kind_of(effect).heading and effect.state != State.CANCELLED and not effect.end_reason
    ]
    return sorted(items, key=lambda item: item.at, reverse=True)


def current_reports(effects: Iterable[Effect]) -> list[Effect]:
    """Return the effects whose reports are in Lever now: of each invitation the one attached last, unless removed."""
    last: dict[int | None, Effect] = {}
    of_reports = (Kind.ATTACH_REPORT, Kind.REMOVE_REPORT)
    done = [one for one in effects if one.kind in of_reports and one.state == State.DONE and one.done_at]
    for effect in sorted(done, key=lambda one: (one.done_at, one.pk)):
        last[effect.invitation_id] = effect
    return [effect for effect in last.values() if effect.kind == Kind.ATTACH_REPORT]


def _item(effect: Effect, erasure: Erasure | None, *, is_current: bool) -> WrittenItem:
    kind = kind_of(effect)
    state, tone = STATES[effect.shown_state]
    at = effect.done_at or (effect.failed_at if effect.state == State.FAILED else None) or effect.created_at
    words = kind.words(effect)
    remark = REPLACED if words.file and words.is_kept and not is_current else ""
    if effect.state == State.DONE and words.missing:
        remark = ERASED if erasure is not None and at <= erasure.erased_at else words.missing
    return WrittenItem(effect, kind, state, tone, at, words, remark)
