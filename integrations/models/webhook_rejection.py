"""Counts of webhook requests that were rejected; nothing of the requests themselves is stored."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from integrations.models.organization import Organization

COUNT_EVERY = timedelta(seconds=1)


class WebhookRejection(models.Model):
    """One reason for which requests to an organization's webhook endpoint were rejected: count, last time, hint."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="webhook_rejections"
    )
    platform = models.CharField(max_length=20)
    code = models.CharField(max_length=60)
    count = models.PositiveIntegerField(default=1, help_text="At most one a second is counted.")
    last_at = models.DateTimeField(db_default=Now())
    hint = models.CharField(max_length=60, blank=True)

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

    @classmethod
    def is_counted(cls, organization: Organization, platform: str, code: str) -> bool:
        """Whether a rejection for that reason was counted in this second, so that the cause needn't be determined."""
        rows = cls.objects.filter(organization=organization, platform=platform, code=code)
        return rows.filter(last_at__gte=Now() - COUNT_EVERY).exists()

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
