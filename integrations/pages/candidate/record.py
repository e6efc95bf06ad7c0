"""What is on record about one candidate: what the portal wrote to Lever, word for word, and the technical record.

The technical record holds deliveries, verdicts, effects and calls, the newest first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from itertools import chain, groupby

from integrations.clients.models import ApiCall
from integrations.core.vocabulary import Tone
from integrations.effects.kind import EffectKind, Words
from integrations.effects.perform import kind_of
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict, next_step
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.pages.activity.delivery import redacted_json
from integrations.pages.candidate.rows import CandidateRows
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


@dataclass(frozen=True)
class FoldedCall:
    """One request with its answer, and the later ones that were the same; the newest first."""

    calls: Sequence[ApiCall]

    @property
    def call(self) -> ApiCall:
        """The latest of them."""
        return self.calls[0]

    @property
    def times(self) -> int:
        """How often it was asked, with the polls that were counted instead of stored."""
        return sum(1 + call.repeats for call in self.calls)

    @property
    def first_at(self) -> datetime:
        """When it was asked first."""
        return self.calls[-1].at

    @property
    def last_at(self) -> datetime:
        """When it was asked last."""
        return max(call.last_at or call.at for call in self.calls)


def folded(calls: Iterable[ApiCall]) -> list[FoldedCall]:
    """Return a line for each call, and one for all successful reads of the same answer, where the latest stands."""
    groups: dict[object, list[ApiCall]] = {}
    for call in calls:
        groups.setdefault(_likeness(call), []).append(call)
    return [FoldedCall(group) for group in groups.values()]


def _likeness(call: ApiCall) -> object:
    """Return a key: the same for calls that are one line, its own for any other call."""
    if call.method != "GET" or call.status != HTTPStatus.OK or call.error:
        return call.pk
    return call.platform, call.path, call.response_body


class EntryKind(StrEnum):
    """What an entry is about; of entries at the same time, the last of these is shown first."""

    DELIVERY = "delivery"
    VERDICT = "verdict"
    EFFECT = "effect"
    CALL = "call"


_ORDER = {kind: position for position, kind in enumerate(EntryKind)}


@dataclass(frozen=True)
class TechnicalDelivery:
    """A delivery with its redacted payload."""

    delivery: Delivery
    payload: str


@dataclass(frozen=True)
class TechnicalVerdict:
    """A verdict with its next step, which is empty for one that a later verdict replaced."""

    verdict: Verdict
    next_step: str


@dataclass(frozen=True)
class TechnicalEntry:
    """One thing that happened, with its row."""

    at: datetime
    kind: EntryKind
    row: TechnicalDelivery | TechnicalVerdict | Effect | FoldedCall


@dataclass(frozen=True)
class TechnicalRecord:
    """The entries, the newest first, and whether there may be more rows of some kind."""

    entries: Sequence[TechnicalEntry]
    is_cut: bool


def technical_record(organization: Organization, opportunity_id: str, rows: CandidateRows) -> TechnicalRecord:
    """Return the record of one candidate, whose rows were read; of calls as many as of each other kind."""
    of_candidate = ApiCall.objects.filter(organization=organization, opportunity_id=opportunity_id)
    calls = list(of_candidate.order_by("-at", "-pk")[: rows.most])
    entries = chain(
        (
            TechnicalEntry(
                one.received_at, EntryKind.DELIVERY, TechnicalDelivery(one, redacted_json(one.payload))
            )
            for one in rows.deliveries
        ),
        _verdict_entries(rows.verdicts),
        (TechnicalEntry(effect.created_at, EntryKind.EFFECT, effect) for effect in rows.effects),
        (TechnicalEntry(call.at, EntryKind.CALL, FoldedCall([call])) for call in calls),
    )
    newest_first = sorted(entries, key=lambda entry: (entry.at, _ORDER[entry.kind]), reverse=True)
    is_cut = rows.is_cut or len(calls) >= rows.most
    return TechnicalRecord(list(_with_folded_calls(newest_first)), is_cut)


def _verdict_entries(verdicts: Iterable[Verdict]) -> Iterator[TechnicalEntry]:
    for verdict in verdicts:
        step = next_step(verdict.code, verdict.invitation) if verdict.is_current else ""
        yield TechnicalEntry(verdict.decided_at, EntryKind.VERDICT, TechnicalVerdict(verdict, step))


def _with_folded_calls(entries: Sequence[TechnicalEntry]) -> Iterator[TechnicalEntry]:
    """Yield the entries with each uninterrupted run of calls folded."""
    for is_run, run in groupby(entries, key=lambda entry: isinstance(entry.row, FoldedCall)):
        if not is_run:
            yield from run
            continue
        calls = [call for entry in run if isinstance(entry.row, FoldedCall) for call in entry.row.calls]
        for line in folded(calls):
            yield TechnicalEntry(line.call.at, EntryKind.CALL, line)
