"""Two small tables that all processes share: who is alive, and whose turn it is to call."""

from datetime import timedelta

from django.db import connection, models
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """When a worker last showed that it makes progress."""

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str) -> None:
        """Record that `name` is at work now, by the database's clock."""
        if not cls.objects.filter(pk=name).update(at=Now()):
            Heartbeat.objects.bulk_create([Heartbeat(name=name)], ignore_conflicts=True)

    @classmethod
    def is_fresh(cls, name: str, within: timedelta) -> bool:
        """Whether `name` beat within that time."""
        return cls.objects.filter(pk=name, at__gte=Now() - within).exists()


class PaceBucket(models.Model):
    """Reservations of calls to one customer's account, when there is no Redis."""

    key = models.CharField(max_length=200, primary_key=True)
    free_at = models.FloatField(help_text="Unix seconds from which the account's whole burst is free again.")

    def __str__(self) -> str:
        return self.key

    @classmethod
    def reserve(cls, key: str, interval: float, burst: int) -> float:
        """Reserve the next call's slot for `key` and return the seconds to wait for it.

        GCRA: `interval` seconds apart when busy, `burst` at once after a rest. One statement, by the
        database's clock, so any number of processes and nodes share it.
        """
        clock = (
            "extract(epoch from clock_timestamp())"
            if connection.vendor == "postgresql"
            else ("(julianday('now') - 2440587.5) * 86400.0")
        )
        greatest = "GREATEST" if connection.vendor == "postgresql" else "MAX"
        table = connection.ops.quote_name(cls._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, free_at) VALUES (%s, {clock} + %s) "  # noqa: S608
                f"ON CONFLICT (key) DO UPDATE SET free_at = {greatest}({table}.free_at, {clock}) + %s "
                f"RETURNING free_at - {clock}",
                [key, interval, interval],
            )
            ahead = float(cursor.fetchone()[0])
        return max(0.0, ahead - interval * burst)

    @classmethod
    def cool_down(cls, key: str, seconds: float, interval: float, burst: int) -> None:
        """Keep everybody off `key` for `seconds`, after the platform said it was too much."""
        wait = cls.reserve(key, 0.0, burst)
        cls.objects.filter(pk=key).update(
            free_at=models.F("free_at") + max(0.0, seconds - wait) + interval * burst
        )
