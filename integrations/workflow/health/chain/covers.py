"""Which rows of a chain may be empty: those that a later entry about an erasure names."""

from bisect import bisect_right
from collections.abc import Iterator

from integrations.models import AuditAction, AuditEntry
from integrations.models.chained import ERASED_POSITIONS

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
