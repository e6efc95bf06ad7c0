"""Whether work is due, and whether the workers make progress with it."""

from datetime import timedelta

from django.db.models.functions import Now

from integrations.models import Delivery, Effect, Heartbeat, Invitation, db_clock

#: The heartbeat of the workers.
DRAIN = "drain"
QUIET_AFTER = timedelta(seconds=5)
#: Many times the interval of drain()'s heartbeat, and short enough to replace a cluster within 10 seconds.
STALLED_AFTER = timedelta(seconds=4)
#: An idle cluster is woken after QUIET_AFTER, and once more; unresponsive after two missed wake-ups.
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
    is_overdue = any(model.objects.unclaimed_since(overdue).exists() for model in (Effect, Delivery))
    return is_overdue and not Heartbeat.is_fresh(DRAIN, STALLED_AFTER)


def must_be_replaced() -> bool:
    """Whether the cluster is frozen: it makes no progress with due rows, or ignores wake-ups while idle.

    An idle cluster is checked too, so that it is replaced before the next row is due.
    """
    return is_stalled() or not Heartbeat.is_fresh(DRAIN, UNRESPONSIVE_AFTER)


def has_worked_within(seconds: float) -> bool:
    """Whether a worker's heartbeat is younger than this many seconds."""
    return Heartbeat.is_fresh(DRAIN, timedelta(seconds=seconds))


def oldest_due_seconds() -> float:
    """Return for how long the longest-waiting due row has waited, 0 when nothing waits."""
    moments = [Delivery.objects.oldest_due_at(), Effect.objects.oldest_due_at()]
    waits: list[float] = [(db_clock.now() - moment).total_seconds() for moment in moments if moment]
    return max([0.0, *waits])
