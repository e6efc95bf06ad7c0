"""One person's own settings, the same in every organization."""

from django.conf import settings
from django.db import models


class PersonalSettings(models.Model):
    """The time zone in which times are shown to a person; empty means their browser's."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="personal_settings",
    )
    time_zone = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name_plural = "personal settings"

    def __str__(self) -> str:
        return f"Settings of {self.user}"
