"""What the cache keeps in the database, where there is no Redis: values of JSON by their key, each for some time."""

from typing import Self

from django.db import models
from django.db.models.functions import Now


class CacheEntryQuerySet(models.QuerySet["CacheEntry"]):
    """Entries by their age, by the database's clock."""

    def current(self) -> Self:
        """Entries whose time isn't over."""
        return self.filter(models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=Now()))

    def expired(self) -> Self:
        """Entries whose time is over."""
        return self.filter(expires_at__lte=Now())

    def purge(self) -> None:
        """Remove the entries whose time is over."""
        self.expired().delete()


class CacheEntry(models.Model):
    """One value. It is read as JSON and nothing else: who writes to the table can store data, not a program."""

    key = models.CharField(max_length=250, unique=True)
    value = models.JSONField()
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")

    objects = CacheEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "cached value"
        indexes = [models.Index(fields=["expires_at"], name="cache_entry_expires")]

    def __str__(self) -> str:
        return self.key
