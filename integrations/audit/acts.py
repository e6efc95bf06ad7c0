"""Sign the chains' heads with the first key, and accept a chain as it is."""

from django.db import transaction

from integrations.audit.models.chain_head import PORTAL_CHAIN, ChainHead
from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.organizations.models.organization import Organization


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
