"""Verify a chain: whether every row is there, as it was written, and nothing besides; and sign its head."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import merge

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from integrations.audit.models.chain import (
    ERASED_POSITIONS,
    NO_HASH,
    PORTAL_CHAIN,
    Chained,
    ChainedQuerySet,
    ChainHead,
)
from integrations.audit.models.entry import Actor, AuditAction, AuditEntry
from integrations.audit.record import audit
from integrations.inbox.models.verdict import Verdict
from integrations.organizations.models.organization import Organization

READ_AT_ONCE = 2000

#: What is told each fault, a sentence, as it is found: there may be as many as rows.
type Report = Callable[[str], None]


@dataclass
class Verification:
    """What was found about one chain."""

    report: Report
    audit_entries: int = 0
    verdicts: int = 0
    erased: int = 0
    faults: int = 0
    #: Where the chain ends: the position and hash of the last row that was read, and whether it fits that hash.
    position: int = 0
    hash: str = NO_HASH
    is_intact: bool = True
    #: The empty rows that no erasure has accounted for yet, by position.
    unaccounted: dict[int, Chained] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        return self.faults == 0

    def add(self, fault: str) -> None:
        self.faults += 1
        self.report(fault)

    def add_row(self, row: Chained, what: str) -> None:
        """Report a fault of one row."""
        self.add(f"{row._meta.verbose_name} {row.pk} at position {row.position}: {what}")


def verify_chain(chain: int, report: Report) -> Verification:
    """Verify one chain and return what was counted; tell `report` each fault as it is found.

    Reads a bounded number of rows at a time, and may run while the portal writes.
    """
    head = ChainHead.objects.filter(pk=chain).first() or ChainHead(chain=chain)
    found = Verification(report)
    for row in _rows(chain, head.position):
        _check_row(row, found)
    _check_end(head, found)
    # an erasure that was recorded meanwhile lies after the head
    for entry in _erasures(chain).filter(position__gt=head.position):
        _account(entry, found)
    for row in found.unaccounted.values():
        found.add_row(row, "its text was erased, but no later entry says so.")
    _check_rows_outside(chain, head.position, found)
    _check_current_verdicts(chain, found)
    if chain == PORTAL_CHAIN:
        _check_organizations(found)
    else:
        _check_beginning(chain, found)
    return found


def _rows(chain: int, end: int) -> Iterator[Chained]:
    """Yield the rows up to the head by rising position; what is written meanwhile lies after it."""
    own: tuple[ChainedQuerySet[AuditEntry] | ChainedQuerySet[Verdict], ...] = (
        AuditEntry.objects.in_chain(chain),
        Verdict.objects.in_chain(chain),
    )
    kinds = (rows.filter(position__range=(1, end)).iterator(chunk_size=READ_AT_ONCE) for rows in own)
    return merge(*kinds, key=lambda row: row.position)


def _check_row(row: Chained, found: Verification) -> None:
    """Compare a row with its own hash and with the row before it."""
    is_intact = row.fits_hash()
    if isinstance(row, Verdict):
        found.verdicts += 1
    else:
        found.audit_entries += 1
    if row.position == found.position:
        found.add_row(row, "another row has this position: one of the two was added.")
    elif row.position > found.position + 1:
        found.add(
            _missing(found.position + 1, row.position - 1, "what stood there was removed", row.previous_hash)
        )
    elif is_intact and found.is_intact and row.previous_hash != found.hash:
        found.add_row(
            row, "it was written after another row than the one before it: one of the two was rewritten."
        )
    if not is_intact:
        found.add_row(row, "its columns, its position or its hashes were changed.")
    if row.is_erased:
        found.erased += 1
        found.unaccounted[row.position] = row
        if any(getattr(row, name) != empty for name, empty in row.empty(row.text_columns).items()):
            found.add_row(row, "text was put in after it was erased.")
    elif not row.fits_digest():
        found.add_row(row, "its text was changed.")
    elif isinstance(row, AuditEntry) and row.action == AuditAction.ERASE:
        _account(row, found)
    found.position, found.hash, found.is_intact = row.position, row.hash, is_intact


def _check_end(head: ChainHead, found: Verification) -> None:
    """Compare the last row with the head, and the head with its keyed hash."""
    if head.position > found.position:
        found.add(_missing(found.position + 1, head.position, "the end of the chain was cut off", head.hash))
    elif found.is_intact and head.hash != found.hash:
        found.add(
            f"the row at position {head.position} was rewritten: the head of the chain has another hash."
        )
    if not head.is_genuine:
        found.add(
            f"the keyed hash of the head {head} doesn't fit. Somebody without the portal's keys cut off or rewrote the "
            "end of the chain. Or FIELD_ENCRYPTION_KEYS doesn't have the key that it was made with."
        )


def _missing(first: int, last: int, why: str, last_hash: str) -> str:
    where = f"position {first} is" if first == last else f"positions {first} to {last} are"
    return f"{where} missing: {why}. The hash of the last row there was {last_hash}."


# Which rows of a chain may be empty: those that a later entry about an erasure names.


def _erasures(chain: int) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.in_chain(chain).filter(action=AuditAction.ERASE)


def _account(erasure: AuditEntry, found: Verification) -> None:
    """Take the rows that an erasure names from those that nothing accounts for; one that was changed names none."""
    if not (erasure.fits_hash() and erasure.fits_digest()):
        return
    match erasure.changes.get(ERASED_POSITIONS):
        case [_, list(positions)]:
            for position in found.unaccounted.keys() & {one for one in positions if isinstance(one, int)}:
                del found.unaccounted[position]


# What the hashes don't show.


def _check_rows_outside(chain: int, read_until: int, found: Verification) -> None:
    """Report rows that lie before the first position, or beyond the head although no writer moved it."""
    outside: list[Chained] = []
    for rows in (AuditEntry.objects.in_chain(chain), Verdict.objects.in_chain(chain)):
        outside.extend(rows.exclude(position__range=(1, read_until))[:READ_AT_ONCE])
    end = ChainHead.objects.filter(pk=chain).values_list("position", flat=True).first() or 0
    for row in outside:
        if not 1 <= row.position <= end:  # what the portal wrote meanwhile moved the head with it
            found.add_row(row, f"it was added: the chain ends at position {end}.")


def _check_current_verdicts(chain: int, found: Verification) -> None:
    """Report verdicts whose mark contradicts the positions: the last one about a delivery is current, no other is."""
    later = Verdict.objects.filter(delivery_id=OuterRef("delivery_id"), position__gt=OuterRef("position"))
    verdicts = Verdict.objects.in_chain(chain).annotate(has_later=Exists(later))
    for verdict in verdicts.filter(is_current=True, has_later=True).iterator(chunk_size=READ_AT_ONCE):
        found.add_row(verdict, "it is marked current, but a later verdict replaced it.")
    for verdict in verdicts.filter(is_current=False, has_later=False).iterator(chunk_size=READ_AT_ONCE):
        found.add_row(verdict, "it is marked as replaced, but there is no later verdict.")


def _check_organizations(found: Verification) -> None:
    """Compare the organizations with those that the portal's chain says were made: the portal removes none.

    What is made meanwhile is no fault: the table is read before the entries, and after them.
    """
    before = set(Organization.objects.values_list("pk", flat=True))
    entries = AuditEntry.objects.in_chain(PORTAL_CHAIN).filter(action=AuditAction.CREATE_ORGANIZATION)
    made = set(entries.values_list("target_id", flat=True))
    after = set(Organization.objects.values_list("pk", flat=True))
    for pk in made - after:
        found.add(f"organization {pk} was removed with its chain.")
    for pk in before - made:
        found.add(f"that organization {pk} was made is missing in this chain.")


def _check_beginning(chain: int, found: Verification) -> None:
    """Report the chain of an organization that doesn't begin with the entry that it was made."""
    first = AuditEntry.objects.in_chain(chain).filter(position=1, action=AuditAction.CREATE_ORGANIZATION)
    if not first.exists():
        found.add(
            "the chain doesn't begin with the making of the organization: it was emptied, or begins anew."
        )


# The head of a chain, signed anew: with another key, or as the chain is now.


def sign_heads() -> list[ChainHead]:
    """Sign the head of every chain with the first of FIELD_ENCRYPTION_KEYS; return those that aren't genuine."""
    refused = []
    for chain in ChainHead.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            head = ChainHead.objects.lock(chain)
            if head.is_genuine:
                head.sign()
            else:
                refused.append(head)
    return refused


def accept_chain(organization: Organization | None, reason: str, actor: Actor) -> None:
    """Sign the organization's chain, or the portal's, as it is now, such as after a key was lost; it is on record."""
    with transaction.atomic():
        audit(organization, actor, AuditAction.ACCEPT_LOG, reason=reason)
        ChainHead.objects.lock(organization.pk if organization else PORTAL_CHAIN).sign()
