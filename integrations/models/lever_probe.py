"""The hourly probe of one organization's Lever, stored for the doctor, which calls no platform."""

from django.db import models


class LeverProbe(models.Model):
    """Whether the feedback template and its author still exist, and how many events had no webhook."""

    organization = models.OneToOneField(
        "integrations.Organization", on_delete=models.CASCADE, primary_key=True, related_name="lever_probe"
    )
    checked_at = models.DateTimeField()
    is_template_gone = models.BooleanField(default=False)
    missing_fields = models.JSONField(
        default=list,
        blank=True,
        help_text="The fields that a result is written into and that the feedback template lacks.",
    )
    is_author_gone = models.BooleanField(default=False)
    is_account_shared = models.BooleanField(
        default=False, help_text="Whether another organization here is connected to the same Lever account."
    )
    missed_events = models.PositiveIntegerField(
        default=0, help_text="Stage changes since the last delivery, for which none arrived."
    )
    silent_since = models.DateTimeField(
        null=True, blank=True, help_text="The last delivery before the stage changes were counted."
    )

    class Meta:
        verbose_name = "health check"

    def __str__(self) -> str:
        return f"Health check of {self.organization}"
