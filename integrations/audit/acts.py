"""Renew the seals of the chains' heads, seal a chain as it is, and record that somebody checked one."""

from collections.abc import Sequence

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.chain_head import PORTAL_CHAIN, ChainHead
from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.verification import HeadToCompare
from integrations.organizations.models.organization import Organization


def renew_seals(actor: Actor) -> list[ChainHead]:
    """Seal every chain with the first of FIELD_ENCRYPTION_KEYS, by an entry in it; return the heads that aren't sealed.

    Safe to run twice: a chain that is under the first key gets no entry.
    """
    unsealed = []
    organizations = Organization.objects.in_bulk()
    for head in ChainHead.objects.filter(position__gt=0).order_by("pk"):
        if not head.is_sealed:
            unsealed.append(head)
        elif not head.is_under_first_key and (head.chain in organizations or head.chain == PORTAL_CHAIN):
            audit(organizations.get(head.chain), actor, AuditAction.RENEW_SEAL)
    return unsealed


def seal_anew(organization: Organization | None, reason: str, actor: Actor) -> None:
    """Seal the organization's chain, or the portal's, as it is now, whatever its seal said before; it is on record."""
    audit(organization, actor, AuditAction.SEAL_ANEW, reason=reason)


def record_check(
    organization: Organization | None,
    actor: Actor,
    result: str,
    faults: int,
    heads: Sequence[HeadToCompare] = (),
) -> None:
    """Record that the log was checked, with what result, and with which heads it was compared."""
    changes: dict[str, tuple[object, object]] = {"result": (None, result)}
    if faults:
        changes["faults"] = (None, faults)
    if heads:
        changes["head"] = (None, ", ".join(map(str, heads)))
    audit(organization, actor, AuditAction.VERIFY_LOG, changes)
