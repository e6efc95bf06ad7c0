"""How many wrong second factors are behind a person or an address, and until when no further one is looked at."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import F

#: The first wait; each further attempt doubles it.
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
#: After so long without an attempt, the earlier ones are forgotten.
FORGOTTEN_AFTER = timedelta(hours=1)

KEPT_FOR = timedelta(days=1)

NO_WAIT = timedelta(0)


class SecondFactorLimit(models.Model):
    """The attempts behind one key. They are rows, so that no restart and no flushed cache forgets them.

    An attempt is counted before it is looked at: a thousand at once are no better than one after the other.
    The waits grow but end; nobody is locked out for good.
    """

    key = models.CharField(max_length=120, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    blocked_until = models.DateTimeField()

    def __str__(self) -> str:
        return self.key

    @classmethod
    def begin(cls, limits: Collection[tuple[str, int]], at: datetime) -> timedelta:
        """Count an attempt behind each key, given with the attempts that are free of waits.

        Return how long to wait, and count nothing, where one of them is blocked.
        """
        with transaction.atomic():
            rows = [cls._locked(key, at) for key, _ in sorted(limits)]
            wait: timedelta = max((row.blocked_until - at for row in rows), default=NO_WAIT)
            if wait > NO_WAIT:
                return wait
            for row, (_, free) in zip(rows, sorted(limits), strict=True):
                row.count = 1 if at - row.last_at > FORGOTTEN_AFTER else row.count + 1
                row.last_at, row.blocked_until = at, at + _wait_after(row.count, free)
                row.save(update_fields=["count", "last_at", "blocked_until"])
        return NO_WAIT

    @classmethod
    def purge(cls, at: datetime) -> int:
        """Delete the rows that say nothing any more: addresses are personal. Return how many."""
        return cls.objects.filter(last_at__lt=at - KEPT_FOR).delete()[0]

    @classmethod
    def _locked(cls, key: str, at: datetime) -> "SecondFactorLimit":
        cls.objects.get_or_create(key=key, defaults={"last_at": at, "blocked_until": at})
        return cls.objects.select_for_update().get(key=key)

    @classmethod
    def forget(cls, key: str) -> None:
        """Forget the attempts behind a key: its person has proven who they are."""
        cls.objects.filter(key=key).delete()

    @classmethod
    def take_back(cls, key: str, at: datetime) -> None:
        """Take back the last attempt behind a key: it was right. Earlier wrong ones stay counted."""
        cls.objects.filter(key=key, count__gt=0).update(count=F("count") - 1, blocked_until=at)


def _wait_after(count: int, free: int) -> timedelta:
    if count < free:
        return NO_WAIT
    doublings = min(count - free, 10)
    wait: timedelta = FIRST_WAIT * int(2**doublings)
    return min(wait, LONGEST_WAIT)
