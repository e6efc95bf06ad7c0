"""Decide a stored delivery again."""

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.clients.provider import ClientProvider
from integrations.core.rules.facts import Decision
from integrations.core.vocabulary import ActionNotAllowed, VerdictCause
from integrations.inbox.decide_delivery import decide_delivery
from integrations.inbox.models.delivery import Delivery


def replay_delivery(delivery: Delivery, clients: ClientProvider, actor: Actor) -> Decision:
    """Decide a stored Lever delivery again and replace its verdict. Raises ActionNotAllowed and PlatformError."""
    if delivery.platform != Delivery.Platform.LEVER:
        raise ActionNotAllowed("Only deliveries from Lever can be retried.")
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
