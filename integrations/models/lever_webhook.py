"""One webhook in Lever, and the signature tokens that prove its deliveries."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models.fields import EncryptedTextField

TOKEN_OVERLAP = timedelta(hours=24)
REMEMBERED_FOR = timedelta(seconds=10)
STAGE_CHANGE = "candidateStageChange"


class LeverWebhookQuerySet(models.QuerySet["LeverWebhook"]):
    """Webhooks, by what they can prove."""

    def active_tokens(self) -> list[tuple[str, "LeverWebhook"]]:
        """Every signature token that may prove a delivery now, with its webhook; newest first."""
        now = timezone.now()
        found: list[tuple[str, LeverWebhook]] = []
        for webhook in self.order_by("-pk"):
            if webhook.signature_token:
                found.append((webhook.signature_token, webhook))
            if webhook.previous_signature_token and webhook.previous_until and webhook.previous_until > now:
                found.append((webhook.previous_signature_token, webhook))
        return found

    def manual(self) -> Self:
        """The one whose token a person pasted."""
        return self.filter(origin=LeverWebhook.Origin.MANUAL)


class LeverWebhook(models.Model):
    """One webhook in Lever: event, how it was made, current and previous token, last verified and received."""

    class Origin(models.TextChoices):
        """Who made the webhook in Lever."""

        MANUAL = "manual", "Made by hand in Lever"
        API = "api", "Made by the portal through Lever's API"

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="lever_webhooks"
    )
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.MANUAL)
    event = models.CharField(max_length=60, default=STAGE_CHANGE)
    lever_webhook_id = models.CharField(max_length=100, blank=True)
    url = models.URLField(max_length=500, blank=True)
    signature_token = EncryptedTextField(blank=True)
    previous_signature_token = EncryptedTextField(blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_verified_at = models.DateTimeField(
        null=True, blank=True, help_text="Lever's last test request that passed."
    )
    last_received_at = models.DateTimeField(null=True, blank=True, help_text="The last delivery that passed.")

    objects = LeverWebhookQuerySet.as_manager()

    class Meta:
        verbose_name = "Lever webhook"
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(origin="manual"),
                name="lever_webhook_one_manual",
            ),
            models.UniqueConstraint(
                fields=["organization", "event"],
                condition=models.Q(origin="api"),
                name="lever_webhook_one_per_event_by_api",
            ),
            models.CheckConstraint(
                condition=models.Q(origin__in=["manual", "api"]), name="lever_webhook_origin_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} · {self.get_origin_display()}"

    def replace_token(self, token: str) -> None:
        """Take a new signature token; the one it replaces is honoured for TOKEN_OVERLAP."""
        if token == self.signature_token:
            return
        if self.signature_token:
            self.previous_signature_token = self.signature_token
            self.previous_until = timezone.now() + TOKEN_OVERLAP
        self.signature_token = token
        self.save(update_fields=["signature_token", "previous_signature_token", "previous_until"])

    def mark_received(self, is_test: bool) -> None:
        """Remember that a verified request came through; during a burst once every few seconds is enough."""
        if not is_test and self.last_received_at and timezone.now() - self.last_received_at < REMEMBERED_FOR:
            return
        seen = {"last_received_at": Now()} if not is_test else {"last_verified_at": Now()}
        LeverWebhook.objects.filter(pk=self.pk).update(**seen)
