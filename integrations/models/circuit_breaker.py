"""Whether a platform answers one organization's calls."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now


class CircuitBreaker(models.Model):
    """Whether one organization's platform answers. While it doesn't, single calls probe it and the others wait."""

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
        null=True, blank=True, help_text="When the next call may probe the platform."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "platform"], name="circuit_breaker_once")
        ]

    def __str__(self) -> str:
        return f"{self.platform} of {self.organization}"

    @property
    def is_open(self) -> bool:
        """Whether the platform is considered down."""
        return self.failures >= self.FAILURES_TO_OPEN

    @property
    def pause(self) -> timedelta:
        """How long to wait between probes: twice as long after each failed one, up to LONGEST_PAUSE_SECONDS."""
        doublings = min(max(0, self.failures - self.FAILURES_TO_OPEN), 6)
        return timedelta(seconds=min(self.FIRST_PAUSE_SECONDS * 2.0**doublings, self.LONGEST_PAUSE_SECONDS))

    def admit(self) -> float:
        """Return 0 when a call may be made, else the seconds to wait.

        After each pause one caller is admitted as the probe; the others wait for another pause.
        """
        if not self.is_open:
            return 0.0
        is_over = models.Q(open_until__isnull=True) | models.Q(open_until__lt=Now())
        if CircuitBreaker.objects.filter(is_over, pk=self.pk).update(open_until=Now() + self.pause):
            return 0.0
        return self.pause.total_seconds()

    def record(self, is_answer: bool) -> None:
        """Count a call: any answer but a 5xx closes the breaker; FAILURES_TO_OPEN failures in a row open it."""
        if is_answer:
            if self.failures:
                CircuitBreaker.objects.filter(pk=self.pk).update(failures=0, open_until=None)
                self.failures, self.open_until = 0, None
            return
        CircuitBreaker.objects.filter(pk=self.pk).update(failures=models.F("failures") + 1)
        self.refresh_from_db()
        if self.failures == self.FAILURES_TO_OPEN:
            CircuitBreaker.objects.filter(pk=self.pk).update(open_until=Now() + self.pause)
