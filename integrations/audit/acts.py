"""Renew the seals of the chains' heads when the keys change, and seal a chain as it is when a person says so."""

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.chain_format import PORTAL_CHAIN
from integrations.audit.models.chain_head import ChainHead
from integrations.audit.models.entry import Actor, AuditAction
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
            _record(organizations.get(head.chain), AuditAction.RENEW_SEAL, actor)
    return unsealed


def seal_anew(organization: Organization | None, reason: str, actor: Actor) -> None:
    """Seal the organization's chain, or the portal's, as it is now, whatever its seal said before; it is on record."""
    _record(organization, AuditAction.SEAL_ANEW, actor, reason)


def _record(organization: Organization | None, action: AuditAction, actor: Actor, reason: str = "") -> None:
    audit(organization, actor, action, reason=reason)
