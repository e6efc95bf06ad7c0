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


class RateLimitBucket(models.Model):
    """Reservations of calls to one customer's account, when there is no Redis."""

    key = models.CharField(max_length=200, primary_key=True)
    free_at = models.FloatField(help_text="Unix seconds from which the account's whole burst is free again.")

    def __str__(self) -> str:
        return self.key

    @classmethod
    def reserve(cls, key: str, interval: float, burst: int, extra: float = 0.0) -> float:
        """Reserve the next call's slot for `key` and return the seconds to wait for it.

        GCRA: `interval` seconds apart when busy, `burst` at once after a rest; `extra` seconds are taken from
        everybody besides. One statement, by the database's clock, so any number of processes and nodes share it.
        """
        is_postgresql = connection.vendor == "postgresql"
        clock = (
            "extract(epoch from clock_timestamp())"
            if is_postgresql
            else ("((julianday('now') - 2440587.5) * 86400.0)")
        )
        later = "GREATEST" if is_postgresql else "MAX"
        table = connection.ops.quote_name(cls._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, free_at) VALUES (%s, {clock} + %s) "  # noqa: S608
                f"ON CONFLICT (key) DO UPDATE SET free_at = {later}({table}.free_at, {clock}) + %s "
                f"RETURNING free_at - {clock}",
                [key, interval + extra, interval + extra],
            )
            ahead = float(cursor.fetchone()[0])
        return max(0.0, ahead - interval * burst)


class CircuitBreaker(models.Model):
    """Whether one organization's platform answers; while it doesn't, it is probed gently instead of hammered."""

    FAILURES_TO_OPEN = 5
    FIRST_PAUSE_SECONDS = 30
    LONGEST_PAUSE_SECONDS = 300

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="circuit_breakers"
    )
    platform = models.CharField(max_length=20)
    failures = models.PositiveIntegerField(
        default=0, help_text="Calls in a row that the platform didn't answer."
    )
    open_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then only the next probe is waited for."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "platform"], name="circuit_breaker_once")
        ]

    def __str__(self) -> str:
        return f"{self.platform} of {self.organization}"

    @property
    def is_open(self) -> bool:
        """Whether the platform is taken to be down."""
        return self.failures >= self.FAILURES_TO_OPEN

    @property
    def pause(self) -> timedelta:
        """How long to wait between probes: longer with every one that failed."""
        doublings = min(max(0, self.failures - self.FAILURES_TO_OPEN), 6)
        return timedelta(seconds=min(self.FIRST_PAUSE_SECONDS * 2.0**doublings, self.LONGEST_PAUSE_SECONDS))

    def admit(self) -> float:
        """Return 0 when a call may be made, else the seconds to wait for the next probe.

        When the pause is over one caller is admitted as the probe, and the others wait for another pause.
        """
        if not self.is_open:
            return 0.0
        over = models.Q(open_until__isnull=True) | models.Q(open_until__lt=Now())
        if CircuitBreaker.objects.filter(over, pk=self.pk).update(open_until=Now() + self.pause):
            return 0.0
        return self.pause.total_seconds()

    def record(self, is_answer: bool) -> None:
        """Count a call: an answer, even a refusal, closes the breaker; silence and 5xx bring it nearer to opening."""
        if is_answer:
            if self.failures:
                CircuitBreaker.objects.filter(pk=self.pk).update(failures=0, open_until=None)
                self.failures, self.open_until = 0, None
            return
        CircuitBreaker.objects.filter(pk=self.pk).update(failures=models.F("failures") + 1)
        self.refresh_from_db()
        if self.failures == self.FAILURES_TO_OPEN:
            CircuitBreaker.objects.filter(pk=self.pk).update(open_until=Now() + self.pause)
