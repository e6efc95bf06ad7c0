"""Announce where a chain ends, where nobody who can write to the database can take it back: in the log, by e-mail.

Within the database alone, a chain whose end was cut off together with its head is whole.
"""

import logging
import re
from dataclasses import dataclass
from typing import Self

from django.db.models import QuerySet

from integrations.models import AnnouncedHead, AuditAction, AuditEntry, ChainHead, EmailTopic, Organization
from integrations.models.chain_format import PORTAL_CHAIN
from integrations.workflow.email.notify import notify_members

logger = logging.getLogger(__name__)

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
