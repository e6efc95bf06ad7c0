"""Requests for a link to choose a password, until a worker has looked whether a member has the address."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

#: A request that no worker took up within this time is no longer answered: its person has asked again.
ANSWERED_WITHIN = timedelta(hours=1)


class PasswordLinkRequest(models.Model):
    """An address as somebody typed it. Its row is deleted as soon as it is answered, for members and others alike."""

    address = models.EmailField()
    requested_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Request #{self.pk}"
