"""One table with what a webhook's delivery states, and one unique key."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now


class Row(models.Model):
    """One request that was stored."""

    organization = models.IntegerField()
    platform = models.CharField(max_length=20)
    event = models.CharField(max_length=100)
    dedupe_key = models.CharField(max_length=300)
    opportunity_id = models.CharField(max_length=200)
    payload = models.JSONField()
    received_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["Row"]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "platform", "dedupe_key"], name="row_once")
        ]

    def __str__(self) -> str:
        return self.dedupe_key

    @classmethod
    def store(cls, payload: Any) -> None:
        """Store a webhook of Lever."""
        cls.objects.create(
            organization=1,
            platform="lever",
            event=payload["event"],
            dedupe_key=payload["id"],
            opportunity_id=payload["data"]["opportunityId"],
            payload=payload,
        )
