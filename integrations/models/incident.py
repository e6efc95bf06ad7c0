"""What is broken or waits for a person, from when it began until it was over: each end is told once."""

from typing import Self

from django.db import models
from django.db.models.functions import Now


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Troubles, by whether they last."""

    def ongoing(self) -> Self:
        """Those that aren't over."""
        return self.filter(ended_at__isnull=True)


class Incident(models.Model):
    """One spell of one problem; the doctor's code says which."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="incidents"
    )
    code = models.CharField(max_length=60, help_text="The doctor's code.")
    began_at = models.DateTimeField(db_default=Now())
    notified_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the members were told; empty while it may still pass by itself.",
    )
    ended_at = models.DateTimeField(null=True, blank=True)

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
        return f"{self.code} #{self.pk}"
