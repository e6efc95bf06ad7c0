"""Rows that wait for a worker: due time, lease and attempts, and the one statement that claims them."""

import traceback as traceback_module
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

from django.db import connection, models, transaction
from django.db.models.functions import Now

LEASE = timedelta(seconds=90)


class ClaimQuerySet(models.QuerySet[Any]):
    """Rows that wait for a worker."""

    def due(self) -> Self:
        """Rows to be worked on now, by the database's clock: due, and not held by a live lease."""
        free = models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=Now())
        return self.filter(free, due_at__lte=Now())

    def claim(self, owner: str, limit: int, lease: timedelta = LEASE) -> list[Any]:
        """Take up to `limit` due rows for `owner` and count the attempt; the rows, oldest due first.

        The attempt is counted here, not at the outcome, so that a row that kills its worker is counted too.
        Two workers never hold the same row: PostgreSQL skips rows locked by the other, SQLite's immediate
        transactions let one claim at a time.
        """
        with transaction.atomic():
            due = self.due().order_by("due_at", "pk")
            if connection.features.has_select_for_update_skip_locked:
                due = due.select_for_update(skip_locked=True)
            keys = list(due.values_list("pk", flat=True)[:limit])
            if not keys:
                return []
            self.model._base_manager.filter(pk__in=keys).update(
                leased_until=Now() + lease, lease_owner=owner, attempts=models.F("attempts") + 1
            )
        rows: Sequence[Any] = self.model._base_manager.filter(pk__in=keys).order_by("due_at", "pk")
        return list(rows)


class Claimable(models.Model):
    """Due time, lease and attempts of a row that a worker finishes."""

    due_at = models.DateTimeField(
        null=True,
        blank=True,
        db_default=Now(),
        help_text="When a worker may next take it; empty when there is nothing to do.",
    )
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease_owner = models.CharField(max_length=80, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        abstract = True

    def lease(self, length: timedelta = LEASE) -> Any:
        """Take this very row, due or not, for a worker of its own; None while another one holds it."""
        owner = uuid.uuid4().hex
        free = models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=Now())
        rows = type(self)._base_manager
        if not rows.filter(free, pk=self.pk).update(leased_until=Now() + length, lease_owner=owner):
            return None
        return rows.get(pk=self.pk)

    def held(self) -> models.QuerySet[Any]:
        """This row, if its lease is still ours: every write of a worker goes through here.

        Every claim has an owner of its own, so a worker that slept through its lease and was replaced finds no
        row and changes nothing; one that was late but not replaced may still record what it did.
        """
        return (
            type(self)._base_manager.filter(pk=self.pk, lease_owner=self.lease_owner).exclude(lease_owner="")
        )

    def release(self, **changes: Any) -> bool:
        """Give the lease back with these changes; False when the lease was lost."""
        return bool(self.held().update(leased_until=None, lease_owner="", **changes))


def masked_traceback(error: BaseException) -> str:
    """Return where an error came from, without the values in its message, which may be personal or secret."""
    frames = traceback_module.format_tb(error.__traceback__)
    return "".join(frames[-12:]) + type(error).__name__
