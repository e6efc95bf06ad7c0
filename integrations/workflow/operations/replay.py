"""Decide a stored delivery again."""

from integrations.clients.provider import ClientProvider
from integrations.models import Actor, AuditAction, Delivery, audit
from integrations.vocabulary import VerdictCause
from integrations.workflow.inbox.decide_delivery import decide_delivery
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.rules.facts import Decision


def replay_delivery(delivery: Delivery, clients: ClientProvider, actor: Actor) -> Decision:
    """Decide a stored Lever delivery again and replace its verdict. Raises ActionNotAllowed and PlatformError."""
    require_decidable(delivery)
    before = delivery.verdict
    claimed = delivery.lease()
    if claimed is None:
        raise ActionNotAllowed("This delivery is being processed right now. Try again in a moment.")
    try:
        decision = decide_delivery(claimed, clients, cause=VerdictCause.REPLAY, may_wait=False)
    except BaseException:
        claimed.release()
        raise
    if not isinstance(decision, Decision):
        raise ActionNotAllowed("This delivery has just been processed. Reload its page to see the verdict.")
    changes = {"verdict": (before, decision.verdict)}
    audit(delivery, actor, AuditAction.REPLAY, changes)
    return decision


def require_decidable(delivery: Delivery) -> None:
    """Raise ActionNotAllowed unless this delivery is of the kind that gets a decision."""
    if delivery.platform != Delivery.Platform.LEVER:
        raise ActionNotAllowed("Only deliveries from Lever can be retried.")
