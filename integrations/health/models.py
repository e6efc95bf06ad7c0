"""Incidents, and counts of rejected webhook requests."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from integrations.clients.models import ApiCall, CircuitBreaker
from integrations.core.finding_code import INCIDENTS, FindingCode
from integrations.core.vocabulary import LikelyMistake, Platform, RejectionCode
from integrations.organizations.models.organization import Organization
from integrations.store.columns import WITH_ORGANIZATION, Holds, harmless, moment

# Incidents: ongoing failures, whose members are notified once of their beginning and once of their end.


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Incidents by whether they are over."""

    def ongoing(self) -> Self:
        return self.filter(ended_at__isnull=True)


class Incident(models.Model):
    """One continuous occurrence of one of the doctor's findings."""

    HOLDS = Holds("when something was wrong, by code", WITH_ORGANIZATION)

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="incidents"
    )
    code = harmless(models.CharField(max_length=60, help_text="The code of the doctor's finding."))
    began_at = models.DateTimeField(db_default=Now())
    notified_at = moment(
        "When the members were notified; empty while it may still end without anybody acting."
    )
    ended_at = moment()

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "code"],
                condition=models.Q(ended_at__isnull=True),
                name="incident_lasts_once",
            )
        ]
        indexes = [models.Index(fields=["organization", "-began_at"], name="incident_recent")]

    def __str__(self) -> str:
        return f"{self.title}, {self.began_at:%-d %b %Y %H:%M}"

    @property
    def title(self) -> str:
        """The name; where its calls show that one platform alone didn't answer, with that one's name."""
        incident = INCIDENTS.get(self.code)
        name = incident.name if incident else self.code
        if self.code != FindingCode.PLATFORM_DOWN:
            return name
        lasted = (self.began_at, self.ended_at or timezone.now())
        calls = ApiCall.objects.unanswered().filter(organization=self.organization_id, at__range=lasted)
        numbers = calls.order_by().values_list("platform").annotate(number=models.Count("pk"))
        down = [platform for platform, number in numbers if number >= CircuitBreaker.FAILURES_TO_OPEN]
        return f"{Platform(down[0]).label} doesn't answer" if len(down) == 1 else name


# Counts of webhook requests that were rejected; nothing of the requests themselves is stored.


COUNT_EVERY = timedelta(seconds=1)


class WebhookRejection(models.Model):
    """One reason for which requests to an organization's webhook endpoint were rejected: count, last time, hint."""

    HOLDS = Holds("counts of rejected requests; nothing of the requests", WITH_ORGANIZATION)

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="webhook_rejections"
    )
    platform = harmless(models.CharField(max_length=20))
    code = harmless(models.CharField(max_length=60))
    count = models.PositiveIntegerField(default=1, help_text="At most one a second is counted.")
    last_at = models.DateTimeField(db_default=Now())
    hint = harmless(models.CharField(max_length=60, blank=True))

    class Meta:
        verbose_name = "rejected webhook request"
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "platform", "code"], name="webhook_rejection_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.code}"

    @property
    def reason(self) -> str:
        """Why it was rejected, in a few words."""
        return RejectionCode(self.code).label

    @property
    def fix(self) -> str:
        """What to do about it."""
        return LikelyMistake(self.hint).label if self.hint else RejectionCode(self.code).record.fix

    @classmethod
    def record(cls, organization: Organization, platform: str, code: str, hint: str = "") -> None:
        """Count one rejection: one row per reason and at most one write a second, however many requests arrive."""
        rows = cls.objects.filter(organization=organization, platform=platform, code=code)
        if rows.filter(last_at__lt=Now() - COUNT_EVERY).update(
            count=models.F("count") + 1, last_at=Now(), hint=hint
        ):
            return
        if not rows.exists():
            row = WebhookRejection(organization=organization, platform=platform, code=code, hint=hint)
            WebhookRejection.objects.bulk_create([row], ignore_conflicts=True)
