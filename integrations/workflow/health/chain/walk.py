"""Go through the rows of a chain in the order of their positions, and compare each with its hash and its neighbours.

A row whose content was changed doesn't fit its own hash, but its hash still fits the row after it: so one changed row
is named alone. A row that was changed and given a new hash fits itself, but not the row after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.models import Chained
from integrations.models.chain_format import NO_HASH
from integrations.workflow.health.chain.covers import Covers
from integrations.workflow.health.chain.faults import Fault, FaultCode, Report, removed, row_fault


@dataclass
class Link:
    """A row that was accepted at its position, and whether its content fits its own hash."""

    row: Chained
    is_intact: bool


class Walk:
    """The state between two positions: the row before, and two rows of which one was rewritten."""

    def __init__(self, covers: Covers, report: Report) -> None:
        self._covers, self._report = covers, report
        self._last: Link | None = None
        #: Neighbours that don't fit each other although both fit their own hashes.
        self._suspects: tuple[Link, Link] | None = None
        #: Faults of empty rows that nothing accounted for when the walk began.
        self._uncovered: list[Fault] = []
        self.rows = self.erased = 0

    @property
    def position(self) -> int:
        """The position of the last row, 0 before the first."""
        return self._last.row.position if self._last else 0

    @property
    def hash(self) -> str:
        """The hash that the last row has."""
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

    def report_uncovered(self, covers: Covers) -> None:
        """Report the empty rows that still nothing accounts for, by covers that were read after them.

        An erasure may have been recorded since the walk began: a row is emptied together with the entry that says so.
        """
        for fault in self._uncovered:
            if fault.position not in covers:
                self._report(fault)

    @property
    def has_uncovered(self) -> bool:
        """Whether an empty row was met that nothing accounted for when the walk began."""
        return bool(self._uncovered)

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
        self.rows += 1
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
