"""What waits for a worker, read in one statement: a worker reads it each time that it is woken."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from django.db import connection
from django.db.models.functions import Now

from integrations.models import Delivery, DutyRun, Effect, Invitation, db_clock
from integrations.models.sql_template import Statement, with_parts


@dataclass(frozen=True)
class DueWork:
    """Of which kinds rows are due, and when the next row of a candidate will be."""

    effects: bool
    deliveries: bool
    polls: bool
    duties: bool
    next_at: datetime | None

    @property
    def rows(self) -> bool:
        """Whether a row of a candidate is due."""
        return self.effects or self.deliveries or self.polls

    def seconds_until_next(self) -> float | None:
        """Return the time until the next row is due, None when none is scheduled."""
        return None if self.next_at is None else (self.next_at - db_clock.now()).total_seconds()


def read() -> DueWork:
    """Return what is due now, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(*_statement(connection.vendor))
        effects, deliveries, polls, duties, *times = cursor.fetchone()
    next_at = min((_as_datetime(time) for time in times if time is not None), default=None)
    return DueWork(bool(effects), bool(deliveries), bool(polls), bool(duties), next_at)


@lru_cache
def _statement(_vendor: str) -> Statement:
    later = {"due_at__gt": Now()}
    return with_parts(
        "SELECT EXISTS ({effects}), EXISTS ({deliveries}), EXISTS ({polls}), EXISTS ({duties}), "
        "({next_effect}), ({next_delivery}), ({next_poll})",
        effects=Effect.objects.due().order_by("due_at").values("pk")[:1],
        deliveries=Delivery.objects.due().order_by("due_at").values("pk")[:1],
        polls=Invitation.objects.due_for_poll().order_by("next_poll_at").values("pk")[:1],
        duties=DutyRun.objects.due().order_by(*DutyRun.objects.all().work_order).values("pk")[:1],
        next_effect=Effect.objects.scheduled().filter(**later).order_by("due_at").values("due_at")[:1],
        next_delivery=Delivery.objects.scheduled().filter(**later).order_by("due_at").values("due_at")[:1],
        next_poll=Invitation.objects.followed()
        .filter(next_poll_at__gt=Now())
        .order_by("next_poll_at")
        .values("next_poll_at")[:1],
    )


def _as_datetime(value: datetime | str) -> datetime:
    """Return a time as the database gave it: SQLite's are in UTC, and texts where it can't know that they are times."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time if time.tzinfo else time.replace(tzinfo=UTC)
