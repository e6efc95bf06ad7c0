"""Incidents: ongoing failures, whose members are notified once of their beginning and once of their end."""

from collections.abc import Mapping
from typing import Self

from django.db import models
from django.db.models.functions import Now

#: What each incident is called, by the finding's code: in the e-mail about it, on the site and in the admin.
NAMES: Mapping[str, str] = {
    "held_invitations": "Invitations need approval",
    "uncertain_invitations": "Invitations may or may not have been sent",
    "failed_effects": "Something could not be written or sent",
    "stuck_deliveries": "Stage changes could not be processed",
    "undecided_deliveries": "Stage changes wait for a decision",
    "duty_failing": "A background job keeps failing",
    "codescreen_key_refused": "CodeScreen refused the API key",
    "platform_down": "Lever or CodeScreen doesn't answer",
    "sweep_repaired": "Lever's webhook missed candidates",
    "webhook_removed": "The webhook was removed in Lever",
    "webhook_silence": "Lever has stopped sending webhooks",
    "webhook_rejected": "We are rejecting webhooks",
}


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
        return NAMES.get(self.code, self.code)
