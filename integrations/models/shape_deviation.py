"""Ways in which a platform differs from the shape that the portal relies on; types only, no values."""

from collections.abc import Mapping
from datetime import timedelta

from django.db import models, transaction
from django.db.models.functions import Now

from integrations.models.organization import Organization

COUNT_EVERY = timedelta(minutes=1)
KEEP_FOR = timedelta(days=90)


class ShapeDeviation(models.Model):
    """One way in which one endpoint's answers, or a platform's webhooks, differ from their declared shape.

    Endpoints and fields are those that the portal declares, so that however much a platform sends makes few rows.
    """

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="shape_deviations"
    )
    platform = models.CharField(max_length=20)
    endpoint = models.CharField(max_length=100)
    field = models.CharField(max_length=200, blank=True, help_text="Its path; empty for the whole answer.")
    found = models.CharField(max_length=60, help_text="What was sent: a type, or nothing.")
    expected = models.CharField(max_length=200)
    is_readable = models.BooleanField(help_text="Whether the portal understands what was sent all the same.")
    example = models.JSONField(default=dict, help_text="The types of the declared fields around it.")
    count = models.PositiveIntegerField(default=1, help_text="At most one a minute is counted.")
    first_seen_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-last_seen_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "platform", "endpoint", "field", "found"], name="shape_deviation_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.endpoint} {self.field}"

    @classmethod
    def record(
        cls,
        organization: Organization,
        platform: str,
        endpoint: str,
        *,
        field: str,
        found: str,
        expected: str,
        is_readable: bool,
        example: Mapping[str, str],
    ) -> None:
        """Count one deviation: one row each and at most one write a minute, however many answers arrive."""
        identity = {
            "organization": organization,
            "platform": platform,
            "endpoint": endpoint,
            "field": field,
            "found": found,
        }
        rows = cls.objects.filter(**identity)
        if rows.filter(last_seen_at__gte=Now() - COUNT_EVERY).exists():
            return
        with transaction.atomic():
            was_counted = rows.filter(last_seen_at__lt=Now() - COUNT_EVERY).update(
                count=models.F("count") + 1, last_seen_at=Now(), expected=expected, is_readable=is_readable
            )
            if not was_counted:
                row = ShapeDeviation(
                    **identity, expected=expected, is_readable=is_readable, example=dict(example)
                )
                ShapeDeviation.objects.bulk_create([row], ignore_conflicts=True)

    @classmethod
    def purge_old(cls) -> None:
        """Remove what wasn't seen for KEEP_FOR."""
        cls.objects.filter(last_seen_at__lt=Now() - KEEP_FOR).delete()
