"""Whether the workers make progress."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """When the worker of one name last made progress."""

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str) -> None:
        """Record that `name` makes progress now, by the database's clock."""
        if not cls.objects.filter(pk=name).update(at=Now()):
            Heartbeat.objects.bulk_create([Heartbeat(name=name)], ignore_conflicts=True)

    @classmethod
    def is_fresh(cls, name: str, within: timedelta) -> bool:
        """Whether `name` made progress within that time."""
        return cls.objects.filter(pk=name, at__gte=Now() - within).exists()
