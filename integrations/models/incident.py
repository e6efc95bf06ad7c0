"""Incidents: ongoing failures, whose members are notified once of their beginning and once of their end."""

from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations.finding_code import INCIDENTS


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Incidents by whether they are over."""

    def ongoing(self) -> Self:
        """Incidents that are not over."""
        return self.filter(ended_at__isnull=True)


class Incident(models.Model):
    """One continuous occurrence of one of the doctor's findings."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="incidents"
    )
    code = models.CharField(max_length=60, help_text="The code of the doctor's finding.")
    began_at = models.DateTimeField(db_default=Now())
    notified_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the members were notified; empty while it may still end without anybody acting.",
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
        return f"{self.name}, {self.began_at:%-d %b %Y %H:%M}"

    @property
    def name(self) -> str:
        """What was wrong, for people."""
        incident = INCIDENTS.get(self.code)
        return incident.name if incident else self.code
