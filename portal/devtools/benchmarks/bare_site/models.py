"""One table with a unique key and a JSON body."""

from typing import ClassVar

from django.db import models


class Row(models.Model):
    """One request that was stored."""

    key = models.CharField(max_length=100, unique=True)
    body = models.JSONField()

    objects: ClassVar[models.Manager["Row"]] = models.Manager()

    def __str__(self) -> str:
        return self.key
