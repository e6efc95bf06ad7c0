"""Whether work is due, and whether the workers of a node make progress with it."""

from datetime import timedelta

from django.db.models.functions import Now

from integrations.models import Delivery, Effect, Heartbeat, db_clock

#: Many times the interval of the heartbeat, which a task of each second writes.
STALLED_AFTER = timedelta(seconds=4)


def is_stalled(node: str) -> bool:
    """Whether rows have been due for a while and no worker of the node shows progress."""
    overdue = Now() - STALLED_AFTER
    is_overdue = any(model.objects.unclaimed_since(overdue).exists() for model in (Effect, Delivery))
    return is_overdue and not Heartbeat.is_fresh(STALLED_AFTER, node)


def oldest_due_seconds() -> float:
    """Return for how long the longest-waiting due row has waited, 0 when nothing waits."""
    moments = [Delivery.objects.oldest_due_at(), Effect.objects.oldest_due_at()]
    waits: list[float] = [(db_clock.now() - moment).total_seconds() for moment in moments if moment]
    return max([0.0, *waits])
