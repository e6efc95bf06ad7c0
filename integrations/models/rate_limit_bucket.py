"""The rate limit of calls to one account, kept in the database when there is no Redis."""

from django.db import connection, models

#: Reservations are never taken to reach further ahead than this beyond the burst: a clock that was once ahead may have
#: written a time that is years away.
LONGEST_AHEAD_SECONDS = 60.0


class RateLimitBucket(models.Model):
    """The rate limit of one customer's account, when there is no Redis."""

    key = models.CharField(max_length=200, primary_key=True)
    free_at = models.FloatField(help_text="Unix seconds from which the account's whole burst is free again.")

    def __str__(self) -> str:
        return self.key

    @classmethod
    def reserve(cls, key: str, interval: float, burst: int, extra: float = 0.0) -> float:
        """Reserve the next call for `key`. Return the seconds to wait before making it.

        GCRA: calls are `interval` seconds apart when busy, and `burst` of them may be made at once after a pause.
        `extra` seconds are reserved besides, which delays every later caller. One statement by the database's clock,
        so that any number of processes and nodes share the limit.
        """
        is_postgresql = connection.vendor == "postgresql"
        clock = (
            "extract(epoch from clock_timestamp())"
            if is_postgresql
            else ("((julianday('now') - 2440587.5) * 86400.0)")
        )
        greatest, least = ("GREATEST", "LEAST") if is_postgresql else ("MAX", "MIN")
        table = connection.ops.quote_name(cls._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, free_at) VALUES (%s, {clock} + %s) "  # noqa: S608
                f"ON CONFLICT (key) DO UPDATE SET "
                f"free_at = {greatest}({least}({table}.free_at, {clock} + %s), {clock}) + %s "
                f"RETURNING free_at - {clock}",
                [key, interval + extra, interval * burst + LONGEST_AHEAD_SECONDS, interval + extra],
            )
            reserved_seconds = float(cursor.fetchone()[0])
        return max(0.0, reserved_seconds - interval * burst)
