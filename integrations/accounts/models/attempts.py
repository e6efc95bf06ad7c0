"""Requests for links to choose a password, and limits of attempts."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from integrations.store import database
from integrations.store.columns import Holds, about_user, harmless

# Requests for a link to choose a password, until a worker has looked whether a member has the address.


#: A request that no worker took up within this time is no longer answered: its person has asked again.
ANSWERED_WITHIN = timedelta(hours=1)


class PasswordLinkRequest(models.Model):
    """An address as somebody typed it. Its row is deleted as soon as it is answered, for members and others alike."""

    HOLDS = Holds(
        "addresses for which a link to choose a password was asked",
        "a second, until a worker has looked whether a member has the address; an hour while none works",
    )

    address = about_user("the address that was typed", models.EmailField())
    requested_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Request #{self.pk}"


# Limits of attempts, such as to guess a password: shared by all processes and nodes, without what was tried.


#: Rows whose limit has been free again for so long say nothing any more.
FREE_SECONDS_KEPT = 3600.0


@dataclass(frozen=True)
class Limit:
    """How many attempts are free, and after how many seconds each becomes free again."""

    burst: int
    seconds: float


@dataclass(frozen=True)
class TooMany:
    """An attempt that may not be made yet, and after how many seconds one may."""

    seconds: float

    @property
    def in_words(self) -> str:
        """How long to wait before the next attempt, such as "2 minutes"."""
        minutes = math.ceil(self.seconds / 60)
        return "a minute" if minutes <= 1 else f"{minutes} minutes"


def keyed_digest(text: str) -> str:
    """Return a digest of the text, 64 characters, that nobody without the portal's secret key can try texts against."""
    return salted_hmac("portal.sign-in", text, algorithm="sha256").hexdigest()


def keyed_limits(text: str, limits: tuple[Limit, ...]) -> dict[str, Limit]:
    """Return limits of what the text names, each with its key; all of them hold."""
    return {keyed_digest(f"{text}:{number}"): limit for number, limit in enumerate(limits)}


class AttemptLimit(models.Model):
    """How far one limit is used up. Its key is a digest: neither a name nor an address can be read from it."""

    HOLDS = Holds(
        "how often something may still be done: sign-ins, pages read by programs, webhooks with one signature, acts",
        "an hour after all are free again; removed daily",
    )

    key = harmless(models.CharField(max_length=64, primary_key=True))
    free_at = models.FloatField(help_text="Unix seconds from which all attempts are free again.")
    count = models.PositiveIntegerField(default=1, help_text="Attempts since all of them were free.")

    class Meta:
        indexes = [models.Index(fields=["free_at"], name="attempt_limit_free")]

    def __str__(self) -> str:
        return self.key

    @classmethod
    def take(cls, limits: Mapping[str, Limit]) -> dict[str, int] | TooMany:
        """Take one attempt of each limit, or of none when one of them is used up.

        Return by key which one it is in a row without a complete pause.

        An attempt that is refused uses nothing up and writes nothing, so that refused ones can't keep anybody waiting.
        Of attempts made at once, no more are taken than are free.
        """
        if seconds := cls._seconds_to_wait(limits):
            return TooMany(seconds)
        counts: dict[str, int] = {}
        with transaction.atomic():
            for key in sorted(limits):  # in one order, so that two never wait for each other
                count = cls._take_one(key, limits[key])
                if count is None:
                    transaction.set_rollback(True)
                    break
                counts[key] = count
            else:
                return counts
        return TooMany(max(cls._seconds_to_wait(limits), 1.0))

    @classmethod
    def refusal(cls, limits: Mapping[str, Limit]) -> TooMany | None:
        """Take one attempt of each limit; return why not where none may be made yet."""
        outcome = cls.take(limits)
        return outcome if isinstance(outcome, TooMany) else None

    @classmethod
    def give_back(cls, limits: Mapping[str, Limit]) -> None:
        """Give back an attempt that was taken of each limit, because it was no guess."""
        with transaction.atomic():
            for key in sorted(limits):
                cls.objects.filter(pk=key, count__gt=0).update(
                    free_at=models.F("free_at") - limits[key].seconds, count=models.F("count") - 1
                )

    @classmethod
    def forget(cls, keys: Collection[str]) -> None:
        """Forget all attempts behind these keys: their person has proven who they are."""
        cls.objects.filter(pk__in=list(keys)).delete()

    @classmethod
    def purge(cls) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {database.unix_seconds()}")
            now = float(cursor.fetchone()[0])
        return cls.objects.filter(free_at__lt=now - FREE_SECONDS_KEPT).delete()[0]

    @classmethod
    def _seconds_to_wait(cls, limits: Mapping[str, Limit]) -> float:
        sql = f"free_at - {database.unix_seconds()}"
        ahead = models.expressions.RawSQL(sql, (), output_field=models.FloatField())  # noqa: S611
        rows = cls.objects.filter(pk__in=list(limits)).values_list("pk", ahead)
        waits = [seconds - (limits[key].burst - 1) * limits[key].seconds for key, seconds in rows]
        return float(max([0.0, *waits]))

    @classmethod
    def _take_one(cls, key: str, limit: Limit) -> int | None:
        """Take one attempt and return its number, None when none is free. One statement, so that two never take one."""
        table, clock = connection.ops.quote_name(cls._meta.db_table), database.unix_seconds()
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, free_at, count) VALUES (%s, {clock} + %s, 1) "  # noqa: S608
                f"ON CONFLICT (key) DO UPDATE SET "
                f"free_at = CASE WHEN {table}.free_at > {clock} THEN {table}.free_at ELSE {clock} END + %s, "
                f"count = CASE WHEN {table}.free_at > {clock} THEN {table}.count + 1 ELSE 1 END "
                f"WHERE {table}.free_at - {clock} <= %s RETURNING count",
                [key, limit.seconds, limit.seconds, (limit.burst - 1) * limit.seconds],
            )
            row = cursor.fetchone()
        return None if row is None else int(row[0])
