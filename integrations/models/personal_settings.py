"""One person's own settings, the same in every organization."""

from django.conf import settings
from django.db import models


class PersonalSettings(models.Model):
    """How the portal shows itself to a person, and which of their addresses is proven."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="personal_settings",
    )
    time_zone = models.CharField(max_length=100, blank=True, help_text="Empty means their browser's.")
    last_organization = models.ForeignKey(
        "integrations.Organization",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The organization the person worked in last; signing in leads there.",
    )
    proven_email = models.EmailField(
        blank=True,
        help_text="The address at which the person opened a link, in small letters. It counts while it is their own.",
    )

    class Meta:
        verbose_name_plural = "personal settings"

    def __str__(self) -> str:
        return f"Settings of {self.user}"
