"""Verify whole chains of the log, and announce where each chain ends."""

import logging
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import groupby
from typing import Self

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from integrations.audit.chain_walk import Fault, FaultCode, Report, Walk, row_fault, unsealed
from integrations.audit.models.chain import Chained, ChainedQuerySet
from integrations.audit.models.chain_head import NO_HASH, PORTAL_CHAIN, AnnouncedHead, ChainHead
from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.inbox.models.verdict import Verdict
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notify import notify_members
from integrations.organizations.models.organization import Organization

logger = logging.getLogger(__name__)

# Announce where a chain ends, where nobody who can write to the database can take it back: in the log, by e-mail.
#
# Within the database alone, a chain whose end was cut off together with its head is whole.


KEEP_IT = (
    "It stands for every entry and verdict up to now. Keep this e-mail. If somebody removes or rewrites entries, this "
    "command says so:"
)
#: The field of the portal's entry about a new organization that says how the organization's log begins.
BEGINS_WITH = "log_begins_with"
_HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True)
class HeadToCompare:
    """The position and hash of a chain's last row at an earlier time."""

    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the head that was written as POSITION:HASH; None for any other text."""
        found = _HEAD.fullmatch(text.strip())
        return cls(int(found[1]), found[2]) if found else None


def announce_head(organization: Organization) -> None:
    """Announce the head of an organization's chain, and that of the whole portal's. Safe to run twice.

    Both go into the log each time, and are stored. Members who want it are told the organization's, once for each head.
    """
    head = _announce(organization.pk, organization.slug)
    _announce(PORTAL_CHAIN, "the portal")
    if head is None:
        return
    notify_members(
        organization,
        EmailTopic.LOG_HEAD,
        str(head.position),
        subject=f"{organization.name}: audit log ends at position {head.position}",
        lines=[
            f"The hash of the last entry is {head}",
            KEEP_IT,
            f"manage.py verify_audit {organization.slug} --head {head}",
        ],
        variables={"head": str(head)},
    )


def heads_of(chain: int, *others: HeadToCompare) -> list[HeadToCompare]:
    """Return the announced heads of a chain that are stored, how it began, and these others, by rising position."""
    stored = AnnouncedHead.objects.of_chain(chain).values_list("position", "hash")
    heads = {HeadToCompare(position, hash_) for position, hash_ in stored} | set(others)
    for entry in entries_of_new_organizations().filter(target_id=chain):
        _, begin = entry.changes.get(BEGINS_WITH, ("", ""))
        if head := HeadToCompare.parse(str(begin)):
            heads.add(head)
    return sorted(heads, key=lambda head: (head.position, head.hash))


def entries_of_new_organizations() -> QuerySet[AuditEntry]:
    """Return what the portal's own log says of new organizations."""
    return AuditEntry.objects.in_chain(PORTAL_CHAIN).filter(action=AuditAction.CREATE_ORGANIZATION)


def _announce(chain: int, name: str) -> ChainHead | None:
    """Store the head and write it to the log. Return None for a chain without rows."""
    head = ChainHead.objects.filter(pk=chain, position__gt=0).first()
    if head is None:
        return None
    AnnouncedHead.objects.get_or_create(chain=chain, position=head.position, defaults={"hash": head.hash})
    logger.info("the log of %s ends at %s", name, head)
    return head


# Verify a chain: whether every row is there, as it was written, and nothing besides; and every organization.


READ_AT_ONCE = 2000
#: After so many positions it is looked whether there is time left.
LOOKS_AT_CLOCK = 200


@dataclass
class Verification:
    """What was found about one chain."""

    audit_entries: int = 0
    verdicts: int = 0
    erased: int = 0
    faults: int = 0
    #: Where the chain ends now.
    position: int = 0
    hash: str = NO_HASH

    @property
    def is_whole(self) -> bool:
        return self.faults == 0


def result_of(faults: int, position: int, *, is_complete: bool = True) -> str:
    """Return what a check of a log found, in a sentence; it came to this position."""
    if faults:
        return f"Not whole: {faults:,} rows or positions are wrong."
    if not is_complete:
        return f"Whole up to position {position:,}. The rest was not checked in time."
    return f"Whole: {position:,} positions, none changed, removed or added."


def chain_of(organization: Organization | None) -> int:
    """Return the chain of an organization; without one that of the whole portal."""
    return organization.pk if organization else PORTAL_CHAIN


class OutOfTime(Exception):
    """The time for a verification was over before the chain's end; `position` is the last that was verified."""

    def __init__(self, position: int) -> None:
        super().__init__(f"verified up to position {position}")
        self.position = position


def verify_chain(
    chain: int, report: Report, *heads: HeadToCompare, until: datetime | None = None
) -> Verification:
    """Verify one chain and return what was counted; tell `report` each fault as it is found.

    Every head that was announced must still be in the chain, and `heads`, which somebody kept, too. Reads a bounded
    number of rows at a time, and may run while the portal writes. Raises OutOfTime when `until` comes first.
    """
    # read first: what is announced meanwhile may lie after the head
    announced = deque(heads_of(chain, *heads))
    head = ChainHead.objects.filter(pk=chain).first() or ChainHead(chain=chain)
    result = Verification()

    def count_and_report(fault: Fault) -> None:
        result.faults += 1
        report(fault)

    walk = Walk(chain, count_and_report)
    for position, rows in groupby(_rows(chain, head.position), key=lambda row: row.position):
        if until is not None and position % LOOKS_AT_CLOCK == 0 and timezone.now() >= until:
            walk.report_uncovered()
            raise OutOfTime(walk.position)
        found = list(rows)
        verdicts = sum(isinstance(row, Verdict) for row in found)
        result.verdicts += verdicts
        result.audit_entries += len(found) - verdicts
        walk.visit(found)
        while announced and announced[0].position <= position:
            _compare(announced.popleft(), walk, count_and_report)
    _compare_end(head, walk, count_and_report)
    walk.report_uncovered()
    if not head.is_sealed:
        count_and_report(unsealed(head))
    for expected in announced:
        _compare(expected, walk, count_and_report)
    _report_rows_outside(chain, head.position, count_and_report)
    _report_wrong_current_verdicts(chain, count_and_report)
    if chain == PORTAL_CHAIN:
        report_organizations(count_and_report)
    else:
        report_beginning(chain, count_and_report)
    result.erased, result.position, result.hash = walk.erased, walk.position, walk.hash
    return result


def _rows(chain: int, end: int) -> Iterator[Chained]:
    """Yield the rows up to the head by rising position; what is written meanwhile lies after it."""
    own: tuple[ChainedQuerySet[AuditEntry] | ChainedQuerySet[Verdict], ...] = (
        AuditEntry.objects.in_chain(chain),
        Verdict.objects.in_chain(chain),
    )
    kinds = (rows.filter(position__range=(1, end)).iterator(chunk_size=READ_AT_ONCE) for rows in own)
    return merge(*kinds, key=lambda row: row.position)


def _compare(head: HeadToCompare, walk: Walk, report: Report) -> None:
    if head.position > walk.position:
        what = f"the chain ends at position {walk.position} now: its end was cut off."
        report(Fault(FaultCode.END_CUT_OFF, head.position, f"{head} was announced, but {what}"))
    elif head.position == walk.position and head.hash != walk.hash:
        what = f"position {head.position} has the hash {walk.hash} now: the chain was written anew."
        report(Fault(FaultCode.ANNOUNCED_HEAD_DIFFERS, head.position, f"{head} was announced, but {what}"))


def _compare_end(head: ChainHead, walk: Walk, report: Report) -> None:
    """Compare the last row with the head that writers keep."""
    if head.position > walk.position:
        first, last = walk.position + 1, head.position
        where = f"position {first} is" if first == last else f"positions {first} to {last} are"
        walk.end(walk.hash)
        text = f"{where} missing: the end of the chain was cut off. The hash of the last row was {head.hash}."
        report(Fault(FaultCode.END_CUT_OFF, first, text))
    elif not walk.end(head.hash):
        text = f"the head of the chain has the hash {head.hash}, but the row at position {head.position} another."
        report(Fault(FaultCode.HEAD_CHANGED, head.position, text))


def _report_rows_outside(chain: int, read_until: int, report: Report) -> None:
    """Report rows that lie before the first position, or beyond the head although no writer moved it."""
    outside: list[Chained] = []
    for rows in (AuditEntry.objects.in_chain(chain), Verdict.objects.in_chain(chain)):
        outside.extend(rows.exclude(position__range=(1, read_until))[:READ_AT_ONCE])
    end = ChainHead.objects.filter(pk=chain).values_list("position", flat=True).first() or 0
    for row in outside:
        if not 1 <= row.position <= end:  # what the portal wrote meanwhile moved the head with it
            report(row_fault(FaultCode.ADDED, row, f"it was added: the chain ends at position {end}."))


def _report_wrong_current_verdicts(chain: int, report: Report) -> None:
    """Report verdicts whose mark contradicts the positions: the last one about a delivery is current, no other is."""
    later = Verdict.objects.filter(delivery_id=OuterRef("delivery_id"), position__gt=OuterRef("position"))
    verdicts = Verdict.objects.in_chain(chain).annotate(has_later=Exists(later))
    for verdict in verdicts.filter(is_current=True, has_later=True).iterator(chunk_size=READ_AT_ONCE):
        what = "it is marked current, but a later verdict replaced it."
        report(row_fault(FaultCode.CURRENT_CHANGED, verdict, what))
    for verdict in verdicts.filter(is_current=False, has_later=False).iterator(chunk_size=READ_AT_ONCE):
        what = "it is marked as replaced, but there is no later verdict."
        report(row_fault(FaultCode.CURRENT_CHANGED, verdict, what))


def report_organizations(report: Report) -> None:
    """Report organizations that were made and aren't there, and those whose making the portal's chain doesn't have.

    The portal removes no organization, and makes each together with its entry. What is made meanwhile is no fault: it
    isn't among those that were there before the entries were read, and is among those that are there afterwards.
    """
    before = Organization.objects.in_bulk()
    entries = list(entries_of_new_organizations().order_by("position"))
    there = set(Organization.objects.values_list("pk", flat=True))
    for entry in entries:
        if entry.target_id not in there:
            text = f"organization {entry.target_id} ({entry.target}), made at position {entry.position}, was removed."
            report(Fault(FaultCode.ORGANIZATION_REMOVED, entry.position, text))
    for pk in sorted(before.keys() - {entry.target_id for entry in entries}):
        text = f"that organization {pk} ({before[pk].slug}) was made is missing in this chain."
        report(Fault(FaultCode.ORGANIZATION_UNKNOWN, 0, text))


def report_beginning(chain: int, report: Report) -> None:
    """Report the chain of an organization that doesn't begin with the entry that it was made."""
    first = AuditEntry.objects.in_chain(chain).filter(position=1, action=AuditAction.CREATE_ORGANIZATION)
    if not first.exists():
        text = "the chain doesn't begin with the making of the organization: it was emptied, or begins anew."
        report(Fault(FaultCode.BEGINNING_MISSING, 1, text))
