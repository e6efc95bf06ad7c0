"""Rows that wait for a worker: due time, lease and attempts, and the one statement that claims them."""

import traceback as traceback_module
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any, Self

from django.db import connection, models, transaction
from django.db.models.functions import Now

#: Longer than one call with its time-outs, and short enough that what a killed worker held is taken up within a
#: minute. Work of several calls renews it between them.
LEASE = timedelta(seconds=45)


class ClaimQuerySet(models.QuerySet[Any]):
    """Rows that wait for a worker, each of one organization."""

    work_order: tuple[str, ...] = ("due_at", "pk")

    def due(self) -> Self:
        """Rows to be worked on now, by the database's clock: due, and not held by a live lease."""
        free = models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=Now())
        return self.filter(free, due_at__lte=Now())

    def claim(self, owner: str, limit: int, lease: timedelta = LEASE) -> list[Any]:
        """Take up to `limit` due rows for `owner` and count the attempt; the rows, in the order to work them.

        The attempt is counted here, not at the outcome, so that a row that kills its worker is counted too.
        Two workers never hold the same row, and claims take turns, so that each sees whom the others serve:
        the organization that is served least comes first, whatever another one has waiting.
        """
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [self.model._meta.db_table])
            keys = self._choose(limit)
            if not keys:
                return []
            self.model._base_manager.filter(pk__in=keys).update(
                leased_until=Now() + lease, lease_owner=owner, attempts=models.F("attempts") + 1
            )
        rows = {row.pk: row for row in self.model._base_manager.filter(pk__in=keys)}
        return [rows[key] for key in keys]

    def _choose(self, limit: int) -> list[int]:
        """Return the keys of up to `limit` due rows, the least served organization's first."""
        due = self.due().order_by()
        waiting = self._waiting()
        if len(waiting) > 1:
            leased = self.model._base_manager.filter(leased_until__gte=Now()).values_list(
                "organization", flat=True
            )
            served = Counter(leased)
            waiting.sort(key=lambda organization: served[organization])
        keys: list[int] = []
        for organization in waiting:
            rows = due.filter(organization=organization).order_by(*self.work_order)
            if connection.features.has_select_for_update_skip_locked:
                rows = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
            keys += self._keys(rows, limit - len(keys))
            if len(keys) >= limit:
                break
        return keys

    def _waiting(self) -> list[int]:
        """Return the organizations that have a due row: one look into the index each, however many rows wait."""
        organizations = self.model._meta.get_field("organization").related_model._base_manager
        due = self.due().filter(organization=models.OuterRef("pk")).order_by(*self.work_order)
        first = models.Subquery(due.values("pk")[:1])
        return list(organizations.alias(first=first).filter(first__isnull=False).values_list("pk", flat=True))

    def _keys(self, rows: Any, limit: int) -> list[int]:
        return list(rows.values_list("pk", flat=True)[:limit])


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

    def renew(self) -> bool:
        """Prolong our lease before the next call; False when another worker has taken over."""
        return bool(self.held().update(leased_until=Now() + LEASE))

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
