"""What is done by the clock for the whole portal: when it is due, and how it went the last time."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations.models import db_clock


class PortalDuty(models.Model):
    """One duty that belongs to no organization. The worker that claims it does it; twice does no harm."""

    class Name(models.TextChoices):
        """The duties; what each does is in `integrations.queue.portal_duties`."""

        PLAN_DUTIES = "plan_duties", "Planning of the organizations' duties"
        CLEAN_UP = "clean_up", "Removal of what says nothing any more"

        @property
        def interval(self) -> timedelta:
            """The time between the ends of two runs."""
            return INTERVALS[self]

        @property
        def held_for(self) -> timedelta:
            """The time after which a run that hasn't ended has died with its worker, and is done again."""
            return HELD_FOR[self]

    name = models.CharField(max_length=30, choices=Name, unique=True)
    due_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

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
            held_until = Now() + cls.Name(duty.name).held_for
            duty.started_at = db_clock.now()
            if due.filter(pk=duty.pk).update(due_at=held_until, started_at=duty.started_at):
                return duty
        return None

    def succeed(self) -> None:
        """Record a run that did all it had to; the next is due after the interval."""
        again_at = Now() + self.Name(self.name).interval
        self._finish(due_at=again_at, succeeded_at=Now(), last_error="")

    def fail(self, error: str) -> None:
        """Record a run that failed; it is done again after the interval, or the time it is held for."""
        name = self.Name(self.name)
        self._finish(due_at=Now() + min(name.interval, name.held_for), last_error=error)

    def _finish(self, **changes: object) -> None:
        """End this run; nothing is written where another worker has begun one since."""
        own = type(self).objects.filter(pk=self.pk, started_at=self.started_at)
        own.update(finished_at=Now(), **changes)


INTERVALS = {
    PortalDuty.Name.PLAN_DUTIES: timedelta(minutes=1),
    PortalDuty.Name.CLEAN_UP: timedelta(days=1),
}
HELD_FOR = {
    PortalDuty.Name.PLAN_DUTIES: timedelta(minutes=2),
    PortalDuty.Name.CLEAN_UP: timedelta(minutes=10),
}
