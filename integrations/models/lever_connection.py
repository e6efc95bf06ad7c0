"""The OAuth grant of one organization's Lever account."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models.functions import Now

from integrations.models import db_clock
from integrations.models.encrypted_field import EncryptedTextField

REFRESH_LIFETIME, IDLE_LIFETIME = timedelta(days=365), timedelta(days=90)
#: Clocks are compared at every call, and the outcome written this often; sooner only where it changed.
COMPARE_AFTER, COMPARE_AGAIN_AFTER = timedelta(minutes=10), timedelta(minutes=1)
DRIFT_SECONDS = 10.0
#: Longer than the slowest refresh and its recording: a second one would spend a token that is spent already.
REFRESH_LEASE = timedelta(seconds=90)


def _lifetime(tokens: dict[str, Any]) -> timedelta:
    """Return how long an access token lasts: an hour where the answer doesn't say it sensibly."""
    try:
        seconds = int(tokens.get("expires_in") or 0)
    except (TypeError, ValueError, OverflowError):
        seconds = 0
    return (
        timedelta(seconds=seconds) if 0 < seconds <= REFRESH_LIFETIME.total_seconds() else timedelta(hours=1)
    )


class LeverConnection(models.Model):
    """The grant: encrypted tokens, granted scopes, who connected it, ages of both tokens, state."""

    class State(models.TextChoices):
        """Whether the grant works, and if not, whose act ended it."""

        CONNECTED = "connected", "Connected"
        NEEDS_RECONNECT = "needs_reconnect", "Needs reconnect"
        REVOKED = "revoked", "Disconnected here"

    organization = models.OneToOneField(
        "integrations.Organization", on_delete=models.CASCADE, related_name="lever_connection"
    )
    state = models.CharField(max_length=20, choices=State, default=State.CONNECTED)
    state_reason = models.TextField(blank=True)
    access_token = EncryptedTextField(blank=True)
    refresh_token = EncryptedTextField(blank=True)
    access_expires_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveIntegerField(
        default=0, help_text="Rises by one with every new pair of tokens."
    )
    refresh_leased_until = models.DateTimeField(null=True, blank=True)
    scopes = models.TextField(blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    connected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    lever_account_id = models.CharField(max_length=100, blank=True)
    lever_user_id = models.CharField(
        max_length=100, blank=True, help_text="The Lever user shown as the author of what the portal writes."
    )
    feedback_template_id = models.CharField(max_length=100, blank=True)
    stages_refreshed_at = models.DateTimeField(null=True, blank=True)
    roles_refreshed_at = models.DateTimeField(null=True, blank=True)
    clock_ahead = models.FloatField(
        null=True, blank=True, help_text="Seconds by which this server's clock is ahead of Lever's."
    )
    clock_compared_at = models.DateTimeField(null=True, blank=True)
    swept_at = models.DateTimeField(null=True, blank=True, help_text="Up to when the sweep has looked.")

    class Meta:
        verbose_name = "Lever connection"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["connected", "needs_reconnect", "revoked"]),
                name="lever_connection_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"Lever · {self.organization}"

    @property
    def is_working(self) -> bool:
        """Whether calls to Lever may be made."""
        return self.state == self.State.CONNECTED

    @property
    def granted_scopes(self) -> set[str]:
        """The scopes Lever said it granted."""
        return set(self.scopes.split())

    @property
    def ends_at(self) -> datetime | None:
        """When the refresh token dies for certain: a year after consent."""
        return self.connected_at + REFRESH_LIFETIME if self.connected_at else None

    @property
    def idle_ends_at(self) -> datetime | None:
        """When the refresh token would die if it weren't used from now on."""
        return self.refreshed_at + IDLE_LIFETIME if self.refreshed_at and self.refresh_token else None

    def accept_grant(
        self, tokens: dict[str, Any], user: User, lever_user_id: str, lever_account_id: str
    ) -> None:
        """Store a fresh grant from a consent; the connection works from here on.

        `tokens` is Lever's token answer: access_token, refresh_token, expires_in (seconds), scope.
        """
        now = db_clock.now()
        self.state, self.state_reason = self.State.CONNECTED, ""
        self.access_token = tokens["access_token"]
        self.refresh_token = tokens.get("refresh_token") or ""
        self.access_expires_at = now + _lifetime(tokens)
        self.scopes = tokens.get("scope") or ""
        self.refreshed_at = self.connected_at = now
        self.connected_by = user
        self.generation += 1
        self.refresh_leased_until = None
        self.lever_user_id, self.lever_account_id = lever_user_id, lever_account_id
        self.save()

    def lease_refresh(self) -> bool:
        """Take the right to refresh this generation of tokens; False when somebody else has it or has done it.

        A lease on the row rather than a lock: it works the same on SQLite, and no transaction stays open
        across the call to Lever. A lease whose owner died ends by itself after REFRESH_LEASE.
        """
        free = models.Q(refresh_leased_until__isnull=True) | models.Q(refresh_leased_until__lt=Now())
        return bool(
            LeverConnection.objects.filter(
                free, pk=self.pk, generation=self.generation, state=self.State.CONNECTED
            ).update(refresh_leased_until=Now() + REFRESH_LEASE)
        )

    def rotate(self, tokens: dict[str, Any]) -> None:
        """Store the pair a refresh returned, fenced by the generation it was made from."""
        now = db_clock.now()
        LeverConnection.objects.filter(pk=self.pk, generation=self.generation).update(
            access_token=tokens["access_token"],
            refresh_token=tokens.get("refresh_token") or self.refresh_token,
            access_expires_at=now + _lifetime(tokens),
            scopes=tokens.get("scope") or self.scopes,
            refreshed_at=now,
            generation=self.generation + 1,
            refresh_leased_until=None,
        )
        self.refresh_from_db()

    def release_refresh(self) -> None:
        """Give the refresh lease back after a failure that says nothing about the grant."""
        LeverConnection.objects.filter(pk=self.pk, generation=self.generation).update(
            refresh_leased_until=None
        )

    def mark_needs_reconnect(self, reason: str) -> bool:
        """Record that Lever no longer accepts this generation of the grant; True when it did so just now."""
        changed = LeverConnection.objects.filter(
            pk=self.pk, generation=self.generation, state=self.State.CONNECTED
        ).update(state=self.State.NEEDS_RECONNECT, state_reason=reason, refresh_leased_until=None)
        self.refresh_from_db()
        return bool(changed)

    def record_clock_skew(self, ahead: float) -> None:
        """Remember by how many seconds this server's clock is ahead of Lever's; rarely writes."""
        now = db_clock.now()
        known, compared_at = self.clock_ahead, self.clock_compared_at
        is_same = known is not None and abs(ahead - known) < DRIFT_SECONDS
        wait = COMPARE_AFTER if is_same else COMPARE_AGAIN_AFTER
        if compared_at is not None and abs(now - compared_at) < wait:
            return
        self.clock_ahead, self.clock_compared_at = ahead, now
        LeverConnection.objects.filter(pk=self.pk).update(clock_ahead=ahead, clock_compared_at=now)

    def disconnect(self, reason: str) -> None:
        """Forget the tokens; safe to run twice."""
        LeverConnection.objects.filter(pk=self.pk).update(
            state=self.State.REVOKED,
            state_reason=reason,
            access_token="",
            refresh_token="",
            generation=models.F("generation") + 1,
            refresh_leased_until=None,
        )
        self.refresh_from_db()
