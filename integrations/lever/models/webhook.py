"""Webhooks in Lever, and the signature tokens that verify their deliveries."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Self
from uuid import uuid4

from django.db import models
from django.db.models.functions import Now
from django.dispatch import Signal

from integrations.core.vocabulary import DeliveryEvent, WebhookEvent
from integrations.store import database
from integrations.store.columns import Holds, harmless, moment, one_of
from integrations.store.encryption import EncryptedTextField, UnreadableSecret

#: Sent before the change is committed: for an update of rows Django sends no signal.
webhook_access_changed = Signal()

TOKEN_OVERLAP = timedelta(hours=24)
#: A process knows the database's time only nearly; what ends now is stored as ended by more than that.
CLOCKS_DIFFER_BY = timedelta(seconds=1)
KEEP_RETIRED_FOR = timedelta(days=30)
#: Which row a token belongs to: an organization has several.
_ROW = ("organization_id", "row_id")


class LeverWebhookQuerySet(models.QuerySet["LeverWebhook"]):
    """Webhooks by the signature tokens that they have."""

    def active_tokens(self) -> list[tuple[str, "LeverWebhook"]]:
        """Return every signature token that may verify a delivery now, with its webhook; newest first."""
        return tokens_of(self.active().order_by("-pk"))

    def active(self) -> Self:
        return self.filter(retired_at__isnull=True)

    def manual(self) -> Self:
        """The webhook whose token a person pasted."""
        return self.active().filter(origin=LeverWebhook.Origin.MANUAL)

    def purge_retired(self) -> int:
        """Delete webhooks that were retired KEEP_RETIRED_FOR ago. Return how many rows were deleted."""
        return self.filter(retired_at__lt=database.now() - KEEP_RETIRED_FOR).delete()[0]


def tokens_of(webhooks: Iterable["LeverWebhook"]) -> list[tuple[str, "LeverWebhook"]]:
    """Return every token of these active webhooks that may verify a delivery now, each with its webhook."""
    tokens: list[tuple[str, LeverWebhook]] = []
    for webhook in webhooks:
        if webhook.signature_token:
            tokens.append((webhook.signature_token, webhook))
        if webhook.has_previous:
            tokens.append((webhook.previous_signature_token, webhook))
    return tokens


class LeverWebhook(models.Model):
    """One webhook in Lever: its event, who made it, its current and previous token, when it was last used.

    The tokens of a retired one verify nothing; it is kept for a while, so that a rejection can name the token used.
    """

    HOLDS = Holds("webhooks in Lever; signature tokens are encrypted", "30 days after it was retired")

    class Origin(models.TextChoices):
        """Who made the webhook in Lever."""

        MANUAL = "manual", "Made by hand in Lever"
        API = "api", "Made by the portal through Lever's API"

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="lever_webhooks"
    )
    row_id = models.UUIDField(
        default=uuid4, unique=True, editable=False, help_text="Its tokens are bound to it."
    )
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.MANUAL)
    event = harmless(models.CharField(max_length=60, default=DeliveryEvent.STAGE_CHANGE.value))
    lever_webhook_id = harmless(models.CharField(max_length=100, blank=True))
    url = harmless(models.URLField(max_length=500, blank=True))
    signature_token = EncryptedTextField(blank=True, bound_to=_ROW)
    token_stored_at = moment()
    token_proved_at = moment("When the current token last verified a request.")
    previous_signature_token = EncryptedTextField(blank=True, bound_to=_ROW)
    previous_until = moment()
    previous_proved_at = moment("When the previous token last verified a request.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_verified_at = moment("Lever's last test request that passed.")
    last_received_at = moment("The last delivery that passed.")
    listed_at = moment("When Lever last listed this webhook.")
    missing_since = moment("Since when Lever no longer lists it, having listed it before.")
    retired_at = moment("Since when its tokens verify nothing.")

    objects = LeverWebhookQuerySet.as_manager()

    class Meta:
        verbose_name = "Lever webhook"
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(origin="manual", retired_at__isnull=True),
                name="lever_webhook_one_manual",
            ),
            models.UniqueConstraint(
                fields=["organization", "event"],
                condition=models.Q(origin="api", retired_at__isnull=True),
                name="lever_webhook_one_per_event_by_api",
            ),
            one_of("lever_webhook_origin_known", "origin", ["manual", "api"]),
        ]

    def __str__(self) -> str:
        return f"{self.event} · {self.get_origin_display()}"

    @property
    def event_label(self) -> str:
        return next((event.label for event in WebhookEvent if event == self.event), self.event)

    @property
    def has_previous(self) -> bool:
        """Whether the previous token still verifies deliveries."""
        until = self.previous_until
        return bool(self.previous_signature_token and until and until > database.now())

    @property
    def unreadable_tokens(self) -> list[str]:
        """The columns of the tokens that may verify a delivery now and that no encryption key opens."""
        until = self.previous_until
        columns = []
        if isinstance(self.signature_token, UnreadableSecret):
            columns.append("signature_token")
        if isinstance(self.previous_signature_token, UnreadableSecret) and until and until > database.now():
            columns.append("previous_signature_token")
        return columns

    def replace_token(self, token: str) -> None:
        """Store a new signature token; the one it replaces stays valid for TOKEN_OVERLAP."""
        if token == self.signature_token:
            return
        if self.signature_token:
            self.previous_signature_token = self.signature_token
            self.previous_until = database.now() + TOKEN_OVERLAP
            self.previous_proved_at = self.token_proved_at
        elif isinstance(self.previous_signature_token, UnreadableSecret):
            self.previous_signature_token, self.previous_until = "", None
        self.signature_token = token
        self.token_stored_at, self.token_proved_at = database.now(), None
        # without `retired_at`, which another request may be setting at this moment
        self.save(
            update_fields=[
                "signature_token",
                "token_stored_at",
                "token_proved_at",
                "previous_signature_token",
                "previous_until",
                "previous_proved_at",
            ]
        )

    def retire(self) -> None:
        """Invalidate its tokens. Safe to run twice."""
        LeverWebhook.objects.filter(pk=self.pk, retired_at__isnull=True).update(retired_at=Now())
        webhook_access_changed.send(sender=type(self))
        self.refresh_from_db()

    def retire_previous(self) -> None:
        """Invalidate the previous token. Safe to run twice."""
        over = Now() - CLOCKS_DIFFER_BY
        LeverWebhook.objects.filter(pk=self.pk, previous_until__gt=Now()).update(previous_until=over)
        webhook_access_changed.send(sender=type(self))
        self.refresh_from_db()

    def mark_received(self, is_test: bool, is_previous: bool = False) -> None:
        """Record that a verified request arrived; of deliveries, at most one per MARK_EVERY is recorded."""
        request_column = "last_verified_at" if is_test else "last_received_at"
        token_column = "previous_proved_at" if is_previous else "token_proved_at"
        every = timedelta(0) if is_test else database.MARK_EVERY
        database.mark_now(self, request_column, token_column, every=every)
