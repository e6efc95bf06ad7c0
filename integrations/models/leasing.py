"""Leasing of rows that a worker processes: due time, lease and attempts, and the statement that claims a row."""

import traceback as traceback_module
import uuid
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Self

from django.db import connection, models, transaction
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now
from django.db.models.sql import UpdateQuery

from integrations.models import db_clock

#: Longer than one call with its time-outs, and short enough that a killed worker's rows are claimed again within a
#: minute. A worker renews its lease between calls.
LEASE = timedelta(seconds=45)
#: After so many consecutive claims that end in a bug or with the worker's death, a person has to act.
MAX_CONSECUTIVE_CRASHES = 5
#: The error of such a row when its workers died without recording one.
NO_OUTCOME = "Workers started this {count} times in a row, and none finished."


class LeasableQuerySet[Row: "Leasable"](models.QuerySet[Row]):
    """Rows that workers process, each of one organization."""

    #: The order in which an organization's due rows are claimed. An index has it, so that no claim sorts the backlog.
    work_order: tuple[str, ...] = ("due_at",)

    def free(self) -> Self:
        """Due rows that no worker holds, by the database's clock."""
        unheld = models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=Now())
        return self.filter(unheld, due_at__lte=Now())

    def due(self) -> Self:
        """Rows that a worker may claim now."""
        return self.free()

    def unclaimed_since(self, moment: datetime | Combinable) -> Self:
        """Rows that have been due and unheld since `moment`."""
        unheld = models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=moment)
        return self.due().filter(unheld, due_at__lt=moment)

    def oldest_due_at(self) -> datetime | None:
        """Return the earliest due time of the free rows, None when there is none."""
        oldest: datetime | None = self.free().aggregate(models.Min("due_at"))["due_at__min"]
        return oldest


class Leasable(models.Model):
    """A row that a worker processes under a lease. Its model has an `organization`."""

    due_at = models.DateTimeField(
        null=True,
        blank=True,
        db_default=Now(),
        help_text="When a worker may next claim it; empty when there is nothing to do.",
    )
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease_owner = models.CharField(max_length=80, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0)
    consecutive_crashes = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Consecutive claims without an outcome: they ended in a bug, or with the worker's death.",
    )
    last_error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        abstract = True

    @classmethod
    def claim(cls, owner: str) -> Self | None:
        """Lease a due row to `owner` and count the attempt. Return None when nothing is due.

        The row is of the organization with the fewest active leases; ties are broken at random. Claims run one
        after the other, so that two workers never hold the same row and each sees the leases of the others.
        A crash is counted at the claim and reset by the outcome, so that a row that kills its worker is counted too.
        """
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [cls._meta.db_table])
            statement, parameters = _claim_statement(cls, connection.vendor)
            values = [owner if value == _OWNER else value for value in parameters]
            return next(iter(cls._base_manager.raw(statement, values)), None)

    def lease(self, length: timedelta = LEASE) -> Self | None:
        """Lease this row, due or not, to a new owner. Return None while another worker holds it."""
        owner = uuid.uuid4().hex
        free = models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=Now())
        rows = type(self)._base_manager
        if not rows.filter(free, pk=self.pk).update(leased_until=Now() + length, lease_owner=owner):
            return None
        return rows.get(pk=self.pk)

    def renew(self) -> bool:
        """Prolong the lease before the next call. Return False when another worker has taken over."""
        is_ours = bool(self.fenced().update(leased_until=Now() + LEASE))
        if is_ours:
            self.leased_until = db_clock.now() + LEASE
        return is_ours

    def fenced(self) -> models.QuerySet[Self]:
        """Return a queryset of this row if its lease is still this owner's. Every write of a worker goes through it.

        Each claim has its own owner. A worker whose lease expired and was claimed by another finds no row and
        changes nothing; one whose lease expired unclaimed may still record its outcome.
        """
        return (
            type(self)._base_manager.filter(pk=self.pk, lease_owner=self.lease_owner).exclude(lease_owner="")
        )

    def release(self, **changes: object) -> bool:
        """End the lease with these changes and reset the crash counter. Return False when the lease was lost."""
        changes.setdefault("consecutive_crashes", 0)
        return bool(self.fenced().update(leased_until=None, lease_owner="", **changes))

    @property
    def is_poison(self) -> bool:
        """Whether MAX_CONSECUTIVE_CRASHES claims before this one crashed, so that it must not be tried again."""
        return self.consecutive_crashes > MAX_CONSECUTIVE_CRASHES


_OWNER = "placeholder for the owner"


@lru_cache
def _claim_statement(model: Any, vendor: str) -> tuple[str, tuple[object, ...]]:
    """Return the SQL that claims a row of a Leasable `model`, and its parameters with `_OWNER` for the owner.

    Django compiles it once per kind of database, since a worker runs it for every row.
    """
    rows, due = model._base_manager, model.objects.due()
    organizations = model._meta.get_field("organization").related_model._base_manager
    # a subquery rather than EXISTS, which PostgreSQL would answer by joining with every waiting row
    first = due.filter(organization=models.OuterRef("pk")).order_by(*due.work_order).values("pk")[:1]
    served = (
        rows.filter(organization=models.OuterRef("pk"), leased_until__gte=Now())
        .order_by()
        .values("organization")
        .values(count=models.Count("pk"))
    )
    least_served = (
        organizations.alias(first=models.Subquery(first), served=Coalesce(models.Subquery(served), 0))
        .filter(first__isnull=False)
        .order_by("served", "?")
    )
    chosen = due.filter(organization=models.Subquery(least_served.values("pk")[:1]))
    chosen = chosen.order_by(*due.work_order)
    if connection.features.has_select_for_update_skip_locked:
        chosen = chosen.select_for_update(skip_locked=True, no_key=True, of=("self",))
    query = rows.filter(pk=models.Subquery(chosen.values("pk")[:1])).query.chain(UpdateQuery)
    query.add_update_values(
        {
            "leased_until": Now() + LEASE,
            "lease_owner": _OWNER,
            "attempts": models.F("attempts") + 1,
            "consecutive_crashes": models.F("consecutive_crashes") + 1,
        }
    )
    statement, parameters = query.get_compiler(connection=connection).as_sql()
    return f"{statement} RETURNING *", tuple(parameters)


def masked_traceback(error: BaseException) -> str:
    """Return an error's traceback and type without its message, whose values may be personal or secret."""
    frames = traceback_module.format_tb(error.__traceback__)
    return "".join(frames[-12:]) + type(error).__name__
