"""What the hourly look at one organization's Lever found, for the doctor, who asks no platform."""

from django.db import models


class LeverProbe(models.Model):
    """Whether the feedback template and its author are still there, and what no webhook told of."""

    organization = models.OneToOneField(
        "integrations.Organization", on_delete=models.CASCADE, primary_key=True, related_name="lever_probe"
    )
    checked_at = models.DateTimeField()
    is_template_gone = models.BooleanField(default=False)
    missing_fields = models.JSONField(
        default=list,
        blank=True,
        help_text="What the feedback template lacks of the fields that are filled in.",
    )
    is_author_gone = models.BooleanField(default=False)
    missed_events = models.PositiveIntegerField(
        default=0, help_text="Candidates who changed stage since the last delivery, without one about it."
    )
    silent_since = models.DateTimeField(
        null=True, blank=True, help_text="The last delivery, when the changes were counted."
    )

    class Meta:
        verbose_name = "Lever probe"

    def __str__(self) -> str:
        return f"Checkup of {self.organization}"
