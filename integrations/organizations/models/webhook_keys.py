"""Webhook keys that an organization had before, and the signal that keys or secrets changed."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.dispatch import Signal

from integrations.store import database
from integrations.store.columns import moment
from integrations.store.personal import Holds, harmless

#: Sent before the change is committed: for an update of rows Django sends no signal.
webhook_access_changed = Signal()

KEY_OVERLAP = timedelta(days=7)
KEEP_ENDED_FOR = timedelta(days=30)


class FormerWebhookKeyQuerySet(models.QuerySet["FormerWebhookKey"]):
    """Former keys by whether their addresses still work."""

    def honoured(self) -> Self:
        """Keys whose addresses still work."""
        return self.filter(until__gt=Now())

    def purge_ended(self) -> int:
        """Delete the keys that ended KEEP_ENDED_FOR ago. Return how many rows were deleted."""
        return self.filter(until__lt=database.now() - KEEP_ENDED_FOR).delete()[0]


class FormerWebhookKey(models.Model):
    """A key that was replaced. Webhooks to its address are taken for a while: it has to be changed at the sender.

    An organization may take a former key again; the row stays then, so that at no moment the key is unknown.
    """

    HOLDS = Holds("webhook keys that were replaced", "30 days after they ended")

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="former_webhook_keys"
    )
    key = harmless(models.CharField(max_length=100, unique=True))
    replaced_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField(help_text="Webhooks to its address are refused from then on.")
    last_used_at = moment("When a verified webhook last came to its address.")

    objects = FormerWebhookKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "former webhook key"
        ordering = ["-replaced_at", "-pk"]

    def __str__(self) -> str:
        return f"…{self.key[-4:]}"

    def end(self) -> bool:
        """Refuse its address from now on. Return False when it had ended before. Safe to run twice."""
        changed = FormerWebhookKey.objects.honoured().filter(pk=self.pk).update(until=Now())
        webhook_access_changed.send(sender=type(self))
        self.refresh_from_db()
        return bool(changed)
