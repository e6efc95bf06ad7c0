"""What can be wrong with a chain, each as a sentence for people."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from integrations.models import Chained, ChainHead
from integrations.models.chain_format import ChainKind

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
