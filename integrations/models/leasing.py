"""Rows that wait for a worker: due time, lease and attempts, and the one statement that claims them."""

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

#: Longer than one call with its time-outs, and short enough that what a killed worker held is taken up within a
#: minute. Work of several calls renews it between them.
LEASE = timedelta(seconds=45)
#: So many claims in a row may end in a bug or with the worker's death; then a person has to look.
MAX_CONSECUTIVE_CRASHES = 5
#: What such a row says when nobody lived to tell why.
NO_OUTCOME = "A worker took this up {count} times and was never heard of again."


class LeasableQuerySet[Row: "Leasable"](models.QuerySet[Row]):
    """Rows that wait for a worker, each of one organization."""

    #: Which of an organization's due rows is taken first: the order of its index, or a backlog is sorted at each claim.
    work_order: tuple[str, ...] = ("due_at",)

    def free(self) -> Self:
        """Rows whose time has come and which nobody holds, by the database's clock."""
        unheld = models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=Now())
        return self.filter(unheld, due_at__lte=Now())

    def due(self) -> Self:
        """Rows that a worker may take now."""
        return self.free()

    def unclaimed_since(self, moment: datetime | Combinable) -> Self:
        """Rows that a worker might have taken since then: due by then, and held by nobody."""
        unheld = models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=moment)
        return self.due().filter(unheld, due_at__lt=moment)

    def oldest_due_at(self) -> datetime | None:
        """Return the earliest time at which a free row became due; None when none is."""
        oldest: datetime | None = self.free().aggregate(models.Min("due_at"))["due_at__min"]
        return oldest


class Leasable(models.Model):
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
    consecutive_crashes = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Claims in a row that ended in a bug, or of whose worker nothing was heard again.",
    )
    last_error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        abstract = True

    @classmethod
    def claim(cls, owner: str) -> Self | None:
        """Take a due row for `owner` and count the attempt; None when nothing is due.

        A crash is counted here and taken back at the outcome, so that a row that kills its worker is counted too.
        Two workers never hold the same row, and claims take turns, so that each sees whom the others serve:
        the organization that is served least comes first, whatever another one has waiting, and chance decides
        between equals.
        """
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [cls._meta.db_table])
            statement, parameters = _claim_statement(cls, connection.vendor)
            values = [owner if value == _OWNER else value for value in parameters]
            return next(iter(cls._base_manager.raw(statement, values)), None)

    def lease(self, length: timedelta = LEASE) -> Self | None:
        """Take this very row, due or not, for a worker of its own; None while another one holds it."""
        owner = uuid.uuid4().hex
        free = models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=Now())
        rows = type(self)._base_manager
        if not rows.filter(free, pk=self.pk).update(leased_until=Now() + length, lease_owner=owner):
            return None
        return rows.get(pk=self.pk)

    def renew(self) -> bool:
        """Prolong our lease before the next call; False when another worker has taken over."""
        is_ours = bool(self.fenced().update(leased_until=Now() + LEASE))
        if is_ours:
            self.leased_until = db_clock.now() + LEASE
        return is_ours

    def fenced(self) -> models.QuerySet[Self]:
        """This row, if its lease is still ours: every write of a worker goes through here.

        Every claim has an owner of its own, so a worker that slept through its lease and was replaced finds no
        row and changes nothing; one that was late but not replaced may still record what it did.
        """
        return (
            type(self)._base_manager.filter(pk=self.pk, lease_owner=self.lease_owner).exclude(lease_owner="")
        )

    def release(self, **changes: object) -> bool:
        """Give the lease back with these changes; False when the lease was lost. Whoever comes here didn't crash."""
        changes.setdefault("consecutive_crashes", 0)
        return bool(self.fenced().update(leased_until=None, lease_owner="", **changes))

    @property
    def is_poison(self) -> bool:
        """Whether the claims before this one all crashed, so that it must not be tried once more."""
        return self.consecutive_crashes > MAX_CONSECUTIVE_CRASHES


_OWNER = "the owner's place"


@lru_cache
def _claim_statement(model: Any, vendor: str) -> tuple[str, tuple[object, ...]]:
    """Return the statement that claims a row of `model`, and its parameters with `_OWNER` for the owner.

    Written by Django once for each kind of database: a worker runs it for every row it works.
    """
    rows, due = model._base_manager, model.objects.due()
    organizations = model._meta.get_field("organization").related_model._base_manager
    # a row rather than EXISTS, which PostgreSQL would answer by joining with every row that waits
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
    """Return where an error came from, without the values in its message, which may be personal or secret."""
    frames = traceback_module.format_tb(error.__traceback__)
    return "".join(frames[-12:]) + type(error).__name__
