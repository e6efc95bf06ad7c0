"""The workers' heartbeats, and duties of the whole portal."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from integrations.store import database
from integrations.store.columns import Holds, harmless, moment


class PortalDuty(models.Model):
    """One duty that belongs to no organization. The worker that claims it does it; twice does no harm."""

    HOLDS = Holds("what the portal does by the clock, and how it went", "for ever")

    class Name(models.TextChoices):
        """The duties; what each does is in `integrations.queue.duties`."""

        PLAN_DUTIES = "plan_duties", "Plan the duties of organizations"
        CLEAN_UP = "clean_up", "Delete what is no longer needed"

    name = models.CharField(max_length=30, choices=Name, unique=True)
    due_at = models.DateTimeField(db_default=Now())
    started_at = moment()
    succeeded_at = moment()
    last_error = harmless(models.TextField(blank=True))

    class Meta:
        verbose_name = "what runs by the clock"
        verbose_name_plural = "what runs by the clock"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.get_name_display()

    @classmethod
    def write_missing(cls) -> None:
        """Write the rows that a new database, or one of an earlier release, doesn't have."""
        missing = set(cls.Name.values) - set(cls.objects.values_list("name", flat=True))
        PortalDuty.objects.bulk_create(
            [PortalDuty(name=name) for name in sorted(missing)], ignore_conflicts=True
        )

    @classmethod
    def is_one_due(cls) -> bool:
        """Whether one is due, or has no row yet."""
        return cls.objects.filter(due_at__gt=Now()).count() < len(cls.Name)

    @classmethod
    def claim(cls) -> Self | None:
        """Take the duty that has been due longest, so that no other worker does it too. Return None without one."""
        due = cls.objects.filter(due_at__lte=Now())
        for duty in due.order_by("due_at"):
            duty.started_at = database.now()
            if due.filter(pk=duty.pk).update(due_at=Now() + HELD_FOR, started_at=duty.started_at):
                return duty
        return None

    def succeed(self) -> None:
        """Record a run that did all it had to; the next is due after the interval."""
        again_at = Now() + INTERVALS[PortalDuty.Name(self.name)]
        self._own().update(due_at=again_at, succeeded_at=Now(), last_error="")

    def fail(self, error: str) -> None:
        """Record a run that failed; it is done again when the time is over for which it is held."""
        self._own().update(last_error=error)

    def _own(self) -> "models.QuerySet[PortalDuty]":
        """Return this run's row; nothing where another worker has begun one since."""
        return PortalDuty.objects.filter(pk=self.pk, started_at=self.started_at)


INTERVALS = {
    PortalDuty.Name.PLAN_DUTIES: timedelta(minutes=1),
    PortalDuty.Name.CLEAN_UP: timedelta(days=1),
}
#: A run that hasn't ended by then has died with its worker, and is done again.
HELD_FOR = timedelta(minutes=5)

#: The rows of nodes that have been gone for so long are removed.
KEPT_FOR = timedelta(minutes=15)


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    """Heartbeats of nodes."""

    def fresh(self, within: timedelta, node: str = "") -> Self:
        """Heartbeats of that node, or of any, within that time by the database's clock."""
        fresh = self.filter(at__gte=Now() - within)
        return fresh.filter(node=node) if node else fresh


class Heartbeat(models.Model):
    """When a node's workers last made progress, and their version."""

    HOLDS = Holds("which nodes work, and their version", "until the node is gone")

    node = harmless(models.CharField(max_length=120, unique=True))
    at = models.DateTimeField(db_default=Now())
    version = harmless(models.CharField(max_length=40, default="", db_default=""))

    objects = HeartbeatQuerySet.as_manager()

    def __str__(self) -> str:
        return self.node

    @classmethod
    def beat(cls) -> None:
        """Record that this node makes progress now, by the database's clock; a new one removes old rows."""
        if cls.objects.filter(node=settings.NODE).update(at=Now(), version=settings.VERSION):
            return
        cls.objects.filter(at__lt=Now() - KEPT_FOR).delete()
        row = Heartbeat(node=settings.NODE, version=settings.VERSION)
        Heartbeat.objects.bulk_create([row], ignore_conflicts=True)

    @classmethod
    def is_fresh(cls, within: timedelta, node: str = "") -> bool:
        """Whether that node, or any, made progress within that time."""
        return cls.objects.fresh(within, node).exists()
