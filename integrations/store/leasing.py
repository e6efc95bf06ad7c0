"""Leasing of rows that a worker processes: due time, lease and attempts."""

import traceback as traceback_module
import uuid
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Self

from django.db import IntegrityError, connection, models
from django.db.models.functions import Now

from integrations.store import database
from integrations.store.claims import (
    ORGANIZATIONS_PER_CLAIM,
    Offer,
    Statement,
    Turns,
    lease_most_urgent_statement,
    lease_statement,
    offers_statement,
)
from integrations.store.columns import about_candidate, harmless, moment

#: Longer than one call with its time-outs, and short enough that a killed worker's rows are claimed again within a
#: minute. A worker renews its lease between calls.
LEASE = timedelta(seconds=45)
#: A lease of any length is renewed when the last time was so long ago.
RENEW_AFTER_SECONDS = 5.0
TAKEN_OVER = "Another worker has taken this over."
#: After so many consecutive claims that end in a bug or with the worker's death, a person has to act.
MAX_CONSECUTIVE_CRASHES = 5
#: The error of such a row when its workers died without recording one.
NO_OUTCOME = "Workers started this {count} times in a row, and none finished."

#: By table, where this process's claims have got to.
_turns: defaultdict[str, Turns] = defaultdict(Turns)


class LeasableQuerySet[Row: "Leasable"](models.QuerySet[Row]):
    """Rows that workers process, each of one organization."""

    #: The order in which an organization's due rows are claimed. An index has it, so that no claim sorts the backlog.
    work_order: tuple[str, ...] = ("due_at",)
    #: What `due()` asks of a free row `job`, in the SQL of claims: they find it by statements of their own.
    also_due = ""

    def scheduled(self) -> Self:
        """Rows with a due time, past or to come. Claims find them by the index that holds exactly these."""
        return self.filter(due_at__isnull=False)

    def deferred(self) -> Self:
        """Rows that wait for a time to come, mostly to be tried again."""
        return self.filter(due_at__gt=Now())

    def unheld(self) -> Self:
        """Rows that no worker holds, by the database's clock; one that was killed may have left its lease."""
        return self.filter(models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=Now()))

    def free(self) -> Self:
        """Due rows that no worker holds."""
        return self.unheld().filter(due_at__lte=Now())

    def due(self) -> Self:
        """Rows that a worker may claim now."""
        return self.free()

    def oldest_due_at(self) -> datetime | None:
        """Return the earliest due time of the free rows, None when there is none."""
        oldest: datetime | None = self.free().aggregate(models.Min("due_at"))["due_at__min"]
        return oldest


class Leasable(models.Model):
    """A row that a worker processes under a lease.

    Its model has an `organization`, and two indexes that begin with it: of the scheduled rows and of the leased ones;
    and one of the scheduled rows by their due time.
    """

    organization_id: int

    due_at = moment("When a worker may next claim it; empty when there is nothing to do.", db_default=Now())
    leased_until = moment(editable=False)
    lease_owner = harmless(models.CharField(max_length=80, blank=True, editable=False))
    # Counters of ours are plain integers here and in every table that each candidate writes to: PostgreSQL reads and
    # plans a table's checks anew for each statement that writes a row, and "never negative" guards nothing.
    attempts = models.IntegerField(default=0)
    consecutive_crashes = models.SmallIntegerField(
        default=0,
        editable=False,
        help_text="Consecutive claims without an outcome: they ended in a bug, or with the worker's death.",
    )
    last_error = about_candidate("a platform's error message", models.TextField(blank=True))
    traceback = about_candidate("technical details of an error", models.TextField(blank=True))

    class Meta:
        abstract = True

    @classmethod
    def claim(cls, owner: str) -> Self | None:
        """Lease one due row to `owner`, as `claim_batch` does. Return None when nothing is due."""
        return next(iter(cls.claim_batch(owner, 1)), None)

    @classmethod
    def claim_batch(cls, owner: str, most: int) -> list[Self]:
        """Lease at most `most` due rows to `owner`, count the attempt of each and return them.

        Of the organizations that a claim looks at, those with the fewest active leases come first; those with equally
        few take turns. Claims don't wait for each other: each leaves out the rows that another is claiming at the
        moment, so that it may find nothing although something is due. A crash is counted at the claim and reset by the
        outcome, so that a row that kills its worker is counted too.

        Raises DATABASE_OUTAGE when nothing is leased yet.
        """
        turns = _turns[cls._meta.db_table]
        with connection.cursor() as cursor:
            cursor.execute(*offers_statement(cls, turns.walked_to))
            offers = [Offer(*line) for line in cursor.fetchall()]
        turns.go_on(offers, ORGANIZATIONS_PER_CLAIM)
        claimed: list[Self] = []
        single: list[int] = []
        try:
            for offer, share in turns.shares(offers, most).items():
                turns.last_served = offer.organization_id
                if share == 1 and offer.row_id is not None:
                    single.append(offer.row_id)
                else:
                    several = lease_most_urgent_statement(cls, LEASE, owner, share, offer.organization_id)
                    claimed += cls._leased(several)
            if single:
                claimed += cls._leased(lease_statement(cls, LEASE, owner, single))
        except database.DATABASE_OUTAGE:
            if not claimed:  # else what is leased already would wait for its lease to expire
                raise
        return claimed

    @classmethod
    def _leased(cls, statement: Statement) -> list[Self]:
        """Return the rows that the statement leases, none when a constraint gives one of them to another worker."""
        try:
            return database.rows_from(cls, *statement)
        except IntegrityError:
            return []

    def lease(self, **changes: object) -> Self | None:
        """Lease this row, due or not, to a new owner, with these changes. Return None while another worker holds it."""
        owner = uuid.uuid4().hex
        free = models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=Now())
        rows = type(self)._base_manager
        if not rows.filter(free, pk=self.pk).update(leased_until=Now() + LEASE, lease_owner=owner, **changes):
            return None
        return rows.get(pk=self.pk)

    def renew(self) -> bool:
        """Prolong the lease before the next call. Return False when another worker has taken over."""
        is_ours = bool(self.fenced().update(leased_until=Now() + LEASE))
        if is_ours:
            self.leased_until = database.now() + LEASE
        return is_ours

    def fenced(self) -> models.QuerySet[Self]:
        """Return a queryset of this row if its lease is still this owner's. Every write of a worker goes through it.

        Each claim has its own owner. A worker whose lease expired and was claimed by another finds no row and
        changes nothing; one whose lease expired unclaimed may still record its outcome.
        """
        rows = type(self)._base_manager
        return rows.filter(pk=self.pk, lease_owner=self.lease_owner) if self.lease_owner else rows.none()

    def release(self, **changes: object) -> bool:
        """End the lease with these changes and reset the crash counter. Return False when the lease was lost."""
        changes.setdefault("consecutive_crashes", 0)
        return self.change_fenced(leased_until=None, lease_owner="", **changes)

    def change_fenced(self, **changes: object) -> bool:
        """Write these changes if the lease is still this owner's. Return False when it was lost."""
        return bool(self.fenced().update(**changes))

    @property
    def is_poison(self) -> bool:
        """Whether MAX_CONSECUTIVE_CRASHES claims before this one crashed, so that it must not be tried again."""
        return self.consecutive_crashes > MAX_CONSECUTIVE_CRASHES


def masked_traceback(error: BaseException) -> str:
    """Return an error's traceback and type without its message, whose values may be personal or secret."""
    frames = traceback_module.format_tb(error.__traceback__)
    return "".join(frames[-12:]) + type(error).__name__
