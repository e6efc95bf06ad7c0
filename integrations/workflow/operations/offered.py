"""Invite candidates who may be invited already, by what no row tells of: they are offered, a person chooses."""

from django.db import transaction
from django.db.models.functions import Now

from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Delivery,
    Organization,
    TargetKind,
)
from integrations.workflow.operations.errors import ActionNotAllowed


def invite_offered(organization: Organization, actor: Actor, last_id: int, reason: str = "") -> int:
    """Have the offered candidates decided like any other, up to the delivery `last_id`; return how many there are.

    The bulk limit holds. Raises ActionNotAllowed when nobody is offered any more.
    """
    with transaction.atomic():
        offered = Delivery.objects.offered().filter(
            organization=organization, pk__lte=last_id, due_at__isnull=True
        )
        count = offered.update(chosen_at=Now(), due_at=Now(), attempts=0)
        if not count:
            raise ActionNotAllowed(
                "There is nobody left to choose: somebody else decided, or they left the stage."
            )
        target = AuditTarget(TargetKind.ORGANIZATION, organization.pk, organization.name)
        changes = {"candidates": (0, count)}
        AuditEntry.record(organization, actor, AuditAction.INVITE_OFFERED, target, changes, reason)
    return count
