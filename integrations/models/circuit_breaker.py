"""Whether a platform answers one organization's calls."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

if TYPE_CHECKING:
    from integrations.models.organization import Organization

#: What was found in order isn't looked up again for so long: another process may have found a failure meanwhile.
REMEMBERED_SECONDS = 1.0

#: By organization and platform, until when (monotonic clock) this process takes it for answering.
_answering_until: dict[tuple[int, str], float] = {}


def forget() -> None:
    """Forget which platforms answer, so that the next call looks it up."""
    _answering_until.clear()


class CircuitBreaker(models.Model):
    """Whether one organization's platform answers. While it doesn't, single calls probe it and the others wait.

    There is a row once a call wasn't answered.
    """

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
        verbose_name = verbose_name_plural = "connection status"
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

    @classmethod
    def admit(cls, organization: "Organization", platform: str) -> float:
        """Return 0 when a call may be made, else the seconds to wait.

        After each pause one caller is admitted as the probe; the others wait for another pause.
        """
        if _is_answering(organization, platform):
            return 0.0
        breaker = cls._failing(organization, platform).first()
        if breaker is None:
            _remember_answering(organization, platform)
            return 0.0
        if not breaker.is_open:
            return 0.0
        is_over = models.Q(open_until__isnull=True) | models.Q(open_until__lt=Now())
        if cls.objects.filter(is_over, pk=breaker.pk).update(open_until=Now() + breaker.pause):
            return 0.0
        return breaker.pause.total_seconds()

    @classmethod
    def record(cls, organization: "Organization", platform: str, is_answer: bool) -> None:
        """Count a call: any answer but a 5xx closes the breaker; FAILURES_TO_OPEN failures in a row open it."""
        if is_answer:
            if not _is_answering(organization, platform):
                cls._failing(organization, platform).update(failures=0, open_until=None)
                _remember_answering(organization, platform)
            return
        rows = cls.objects.filter(organization=organization, platform=platform)
        _answering_until.pop((organization.pk, platform), None)
        breaker, _ = cls.objects.get_or_create(organization=organization, platform=platform)
        rows.update(failures=models.F("failures") + 1)
        breaker.refresh_from_db()
        if breaker.failures == cls.FAILURES_TO_OPEN:
            rows.update(open_until=Now() + breaker.pause)

    @classmethod
    def _failing(cls, organization: "Organization", platform: str) -> "models.QuerySet[CircuitBreaker]":
        return cls.objects.filter(organization=organization, platform=platform, failures__gt=0)


def _is_answering(organization: "Organization", platform: str) -> bool:
    return time.monotonic() < _answering_until.get((organization.pk, platform), 0.0)


def _remember_answering(organization: "Organization", platform: str) -> None:
    _answering_until[organization.pk, platform] = time.monotonic() + REMEMBERED_SECONDS
