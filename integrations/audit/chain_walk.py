"""Go through the rows of a chain, compare each with its hash and its neighbours, and say what is wrong."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from integrations.audit.models.chain import ERASED_POSITIONS, Chained
from integrations.audit.models.chain_head import NO_HASH, ChainHead, ChainKind
from integrations.audit.models.entry import AuditAction, AuditEntry

# Which rows of a chain may be empty: those that a later entry about an erasure names.


READ_AT_ONCE = 1000


class Covers:
    """The positions that erasures account for, as ranges: a few numbers for each erasure."""

    def __init__(self, ranges: Iterator[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in sorted(ranges):
            if self._ends and first <= self._ends[-1] + 1:
                self._ends[-1] = max(self._ends[-1], last)
            else:
                self._starts.append(first)
                self._ends.append(last)

    def __contains__(self, position: int) -> bool:
        index = bisect_right(self._starts, position) - 1
        return index >= 0 and position <= self._ends[index]


def covers_of(chain: int) -> Covers:
    """Return what the erasures of a chain account for. One that was changed itself accounts for nothing."""
    entries = AuditEntry.objects.in_chain(chain).filter(action=AuditAction.ERASE)
    return Covers(
        found
        for entry in entries.iterator(chunk_size=READ_AT_ONCE)
        if entry.fits_hash() and entry.fits_digest()
        for found in _ranges(entry)
    )


def _ranges(entry: AuditEntry) -> Iterator[tuple[int, int]]:
    """Yield the ranges that an erasure names, as far as they lie before it; what has another form is left out."""
    match entry.changes.get(ERASED_POSITIONS):
        case [_, list(ranges)]:
            for item in ranges:
                match item:
                    case [int(first), int(last)] if first <= last and first < entry.position:
                        yield first, min(last, entry.position - 1)


# What can be wrong with a chain, each as a sentence for people.


_NAMES = {ChainKind.AUDIT_ENTRY: "audit entry", ChainKind.VERDICT: "verdict"}


class FaultCode(StrEnum):
    """The ways in which a chain shows that somebody changed it outside the portal."""

    TEXT_CHANGED = "text_changed"
    COLUMNS_CHANGED = "columns_changed"
    REWRITTEN = "rewritten"
    ADDED = "added"
    REMOVED = "removed"
    ERASED_WITHOUT_RECORD = "erased_without_record"
    TEXT_AFTER_ERASURE = "text_after_erasure"
    CURRENT_CHANGED = "current_changed"
    HEAD_CHANGED = "head_changed"
    END_CUT_OFF = "end_cut_off"
    ANNOUNCED_HEAD_DIFFERS = "announced_head_differs"
    SEAL_DIFFERS = "seal_differs"
    ORGANIZATION_REMOVED = "organization_removed"
    ORGANIZATION_UNKNOWN = "organization_unknown"
    BEGINNING_MISSING = "beginning_missing"


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a chain. Without a row it is about a position, or about the chain's head."""

    code: FaultCode
    position: int
    text: str
    kind: ChainKind | None = None
    row_id: int | None = None

    def __str__(self) -> str:
        return self.text


#: What is told each fault as it is found: there may be as many as rows.
type Report = Callable[[Fault], None]


def row_fault(code: FaultCode, row: Chained, what: str) -> Fault:
    """Return a fault of one row, named by its kind, id and position."""
    text = f"{_NAMES[row.KIND]} {row.pk} at position {row.position}: {what}"
    return Fault(code, row.position, text, row.KIND, row.pk)


def unsealed(head: ChainHead) -> Fault:
    """Return the fault of a head that the portal didn't make."""
    text = (
        f"the seal of the head {head} doesn't fit: somebody without the portal's keys cut off or rewrote the end of "
        "the chain, or FIELD_ENCRYPTION_KEYS doesn't have the key that it was sealed with."
    )
    return Fault(FaultCode.SEAL_DIFFERS, head.position, text)


def removed(first: int, last: int, last_hash: str) -> Fault:
    """Return the fault of positions that no row has; the row after them tells the hash of the last one."""
    where = f"position {first} is" if first == last else f"positions {first} to {last} are"
    return Fault(
        FaultCode.REMOVED,
        first,
        f"{where} missing: what stood there was removed. The hash of {'it' if first == last else 'the last'} "
        f"was {last_hash}.",
    )


# Go through the rows of a chain in the order of their positions, and compare each with its hash and its neighbours.
#
# A row whose content was changed doesn't fit its own hash, but its hash still fits the row after it: so one changed
# row is named alone. A row that was changed and given a new hash fits itself, but not the row after it.


@dataclass
class Link:
    """A row that was accepted at its position, and whether its content fits its own hash."""

    row: Chained
    is_intact: bool


class Walk:
    """The state between two positions: the row before, and two rows when one of them was rewritten."""

    def __init__(self, chain: int, report: Report) -> None:
        self._chain, self._covers, self._report = chain, covers_of(chain), report
        self._last: Link | None = None
        #: Neighbours that don't fit each other although both fit their own hashes.
        self._suspects: tuple[Link, Link] | None = None
        #: Faults of empty rows that nothing accounted for when the walk began.
        self._uncovered: list[Fault] = []
        self.erased = 0

    @property
    def position(self) -> int:
        """The position of the last row, 0 before the first."""
        return self._last.row.position if self._last else 0

    @property
    def hash(self) -> str:
        return self._last.row.hash if self._last else NO_HASH

    def visit(self, rows: Sequence[Chained]) -> None:
        """Check the rows that have the next position: one, unless somebody added others."""
        links = [Link(row, row.fits_hash()) for row in rows]
        links.sort(key=lambda link: (link.row.previous_hash != self.hash, not link.is_intact))
        link, *others = links
        for other in others:
            what = "it was added, since another row has this position."
            self._report(row_fault(FaultCode.ADDED, other.row, what))
        if link.row.position > self.position + 1:
            self._end_suspicion(is_fitting=True)
            self._report(removed(self.position + 1, link.row.position - 1, link.row.previous_hash))
        else:
            self._compare_with_last(link)
        self._check_content(link)
        self._last = link

    def end(self, head_hash: str) -> bool:
        """Compare the last row with the head of the same position; return whether the head has its hash."""
        is_fitting = self.hash == head_hash
        if not self._end_suspicion(is_fitting) and not is_fitting and self._last and self._last.is_intact:
            self._blame(self._last)
        return is_fitting

    def report_uncovered(self) -> None:
        """Report the empty rows that still nothing accounts for.

        An erasure may have been recorded since the walk began: a row is emptied together with the entry that says so.
        """
        covers = covers_of(self._chain) if self._uncovered else ()
        for fault in self._uncovered:
            if fault.position not in covers:
                self._report(fault)

    def _compare_with_last(self, link: Link) -> None:
        """Compare what the row says about the one before it with that one.

        When both fit their own hashes, one of them was rewritten: the later one if it doesn't fit the row after it
        either, which the next step tells, else the earlier one.
        """
        is_fitting = link.row.previous_hash == self.hash
        was_suspected = self._end_suspicion(is_fitting)
        if is_fitting or was_suspected or not link.is_intact:
            return
        if self._last is None:
            what = "it says that a row stands before it, but it is the first."
            self._report(row_fault(FaultCode.REWRITTEN, link.row, what))
        elif self._last.is_intact:
            self._suspects = (self._last, link)

    def _end_suspicion(self, is_fitting: bool) -> bool:
        """Name the rewritten one of the suspects, by whether the later one fits what follows; False without any."""
        if self._suspects is None:
            return False
        earlier, later = self._suspects
        self._blame(earlier if is_fitting else later)
        self._suspects = None
        return True

    def _blame(self, link: Link) -> None:
        what = (
            "it was rewritten and given a hash of its own, perhaps with rows before it: what comes after it was "
            "written on another row."
        )
        self._report(row_fault(FaultCode.REWRITTEN, link.row, what))

    def _check_content(self, link: Link) -> None:
        row = link.row
        if not link.is_intact:
            what = "its columns, its position or its hashes were changed."
            self._report(row_fault(FaultCode.COLUMNS_CHANGED, row, what))
        if not row.is_erased:
            if not row.fits_digest():
                self._report(row_fault(FaultCode.TEXT_CHANGED, row, "its text was changed."))
            return
        self.erased += 1
        if any(getattr(row, name) != empty for name, empty in row.empty(row.text_columns).items()):
            what = "text was put in after it was erased."
            self._report(row_fault(FaultCode.TEXT_AFTER_ERASURE, row, what))
        if row.position not in self._covers:
            what = "its text was erased, but no later entry says so."
            self._uncovered.append(row_fault(FaultCode.ERASED_WITHOUT_RECORD, row, what))
