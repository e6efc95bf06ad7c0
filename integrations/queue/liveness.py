"""Whether work is due, and whether the workers are at it."""

from datetime import timedelta

from django.db.models.functions import Now

from integrations.models import Delivery, Effect, Heartbeat, Invitation, db_clock

#: The heartbeat of the workers who hear it.
DRAIN = "drain"
QUIET_AFTER = timedelta(seconds=5)
#: A drain beats many times in it, whatever its calls do, and a new cluster still starts within the 10 s promised.
STALLED_AFTER = timedelta(seconds=4)
#: At rest the bell is rung when QUIET_AFTER is over, and once more; whoever hears neither doesn't hear at all.
UNRESPONSIVE_AFTER = 3 * QUIET_AFTER


def has_due() -> bool:
    """Whether any row waits for a worker now."""
    return (
        Effect.objects.due().exists()
        or Delivery.objects.due().exists()
        or Invitation.objects.due_for_poll().exists()
    )


def is_stalled() -> bool:
    """Whether rows have been due for a while and no worker shows progress."""
    overdue = Now() - STALLED_AFTER
    waits = any(model.objects.unclaimed_since(overdue).exists() for model in (Effect, Delivery))
    return waits and not Heartbeat.is_fresh(DRAIN, STALLED_AFTER)


def must_be_replaced() -> bool:
    """Whether the cluster stands still: with work to do, or at rest, where it doesn't hear the bells either.

    At rest too, since a frozen cluster is better replaced before the next row is due than after.
    """
    return is_stalled() or not Heartbeat.is_fresh(DRAIN, UNRESPONSIVE_AFTER)


def has_worked_within(seconds: float) -> bool:
    """Whether a worker has shown a sign of life in the last so many seconds."""
    return Heartbeat.is_fresh(DRAIN, timedelta(seconds=seconds))


def oldest_due_seconds() -> float:
    """Return for how long the longest-waiting due row has waited, 0 when nothing waits."""
    moments = [Delivery.objects.oldest_due_at(), Effect.objects.oldest_due_at()]
    waits: list[float] = [(db_clock.now() - moment).total_seconds() for moment in moments if moment]
    return max([0.0, *waits])
