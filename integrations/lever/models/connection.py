"""The OAuth grant of one organization's Lever account."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models.functions import Now

from integrations.store import database
from integrations.store.columns import WITH_ORGANIZATION, Holds, about_user, harmless, moment, one_of
from integrations.store.encryption import EncryptedTextField, UnreadableSecret, sealed

REFRESH_LIFETIME = timedelta(days=365)
#: Longer than the slowest refresh with its recording: a second refresh would send a token that is used up.
REFRESH_LEASE = timedelta(seconds=90)


def _lifetime(tokens: dict[str, Any]) -> timedelta:
    """Return how long an access token lasts: `expires_in` seconds, or an hour when that isn't sensible."""
    try:
        seconds = int(tokens.get("expires_in") or 0)
    except (TypeError, ValueError, OverflowError):
        seconds = 0
    return (
        timedelta(seconds=seconds) if 0 < seconds <= REFRESH_LIFETIME.total_seconds() else timedelta(hours=1)
    )


def _text(tokens: dict[str, Any], name: str) -> str:
    """Return a text of the token answer, empty for anything else: what can't be stored must not lose the rest."""
    value = tokens.get(name)
    return value if isinstance(value, str) else ""


def person_text(name: str, email: str) -> str:
    """Return a person of Lever as pages name them: the name, and the address in brackets."""
    return f"{name} ({email})" if name and email else name or email


@dataclass(frozen=True)
class LeverGrant:
    """What a consent gave: Lever's token answer, the account, and who signed in; empty where Lever doesn't say.

    The answer has access_token, refresh_token, expires_in (seconds) and scope.
    """

    tokens: dict[str, Any] = field(repr=False)
    account_id: str = ""
    user_id: str = ""
    user_name: str = ""
    user_email: str = ""

    @property
    def giver(self) -> str:
        """Who signed in to Lever, with their address; empty where Lever didn't say."""
        return person_text(self.user_name, self.user_email)


class LeverConnection(models.Model):
    """The OAuth grant: its encrypted tokens and their ages, its scopes, its state, and who gave it."""

    HOLDS = Holds("the OAuth grant; tokens are encrypted", WITH_ORGANIZATION)

    class State(models.TextChoices):
        """Whether the grant works, and if not, which side ended it."""

        CONNECTED = "connected", "Connected"
        NEEDS_RECONNECT = "needs_reconnect", "Needs reconnect"
        REVOKED = "revoked", "Disconnected here"

    organization = models.OneToOneField(
        "integrations.Organization", on_delete=models.CASCADE, related_name="lever_connection"
    )
    state = models.CharField(max_length=20, choices=State, default=State.CONNECTED)
    state_reason = harmless(models.TextField(blank=True))
    access_token = EncryptedTextField(blank=True)
    refresh_token = EncryptedTextField(blank=True)
    access_expires_at = moment()
    refreshed_at = moment()
    generation = models.PositiveIntegerField(
        default=0, help_text="Incremented with every new pair of tokens."
    )
    refresh_leased_until = moment()
    scopes = harmless(models.TextField(blank=True))
    first_connected_at = moment(
        "Who entered a stage before that is offered, not invited; connecting again doesn't move it."
    )
    connected_at = moment()
    connected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    lever_account_id = harmless(models.CharField(max_length=100, blank=True))
    lever_user_id = about_user(
        "the Lever user that writes are attributed to",
        models.CharField(
            max_length=100,
            blank=True,
            help_text="The Lever user shown as the author of what the portal writes.",
        ),
    )
    lever_user_name = about_user(
        "the name of the Super Admin who signed in to Lever",
        models.CharField(max_length=300, blank=True, help_text="Who signed in to Lever, by Lever."),
    )
    lever_user_email = about_user("their address in Lever", models.CharField(max_length=300, blank=True))
    feedback_author = about_user(
        "the Lever user who writes feedback",
        models.CharField(
            max_length=100,
            blank=True,
            help_text="The id of the Lever user shown as the author of feedback and files; empty: who connected.",
        ),
    )
    feedback_author_name = about_user("their name", models.CharField(max_length=300, blank=True))
    feedback_template_id = harmless(models.CharField(max_length=100, blank=True))
    feedback_template = harmless(
        models.JSONField(
            default=dict,
            blank=True,
            help_text="The feedback template with its fields, as Lever had it when it was last read.",
        )
    )
    feedback_template_read_at = moment()
    is_account_shared = models.BooleanField(
        default=False, help_text="Whether another organization here is connected to the same Lever account."
    )
    stages_refreshed_at = moment()
    stages_missing_since = moment("Since when Lever's list of stages is empty while the copy isn't.")
    roles_refreshed_at = moment()
    swept_at = moment("The time up to which the sweep has compared.")
    erasures_read_at = moment("The time up to which Lever was asked who was deleted or anonymized.")

    class Meta:
        verbose_name = "Lever connection"
        constraints = [
            one_of("lever_connection_state_known", "state", ["connected", "needs_reconnect", "revoked"]),
            models.CheckConstraint(
                condition=models.Q(connected_at__isnull=True) | models.Q(first_connected_at__isnull=False),
                name="lever_connection_first_connected",
            ),
        ]

    def __init__(self, *values: Any, **columns: Any) -> None:
        super().__init__(*values, **columns)
        #: When it was read or made, by the monotonic clock.
        self.read_at = time.monotonic()

    def __str__(self) -> str:
        return f"Lever · {self.organization}"

    @property
    def is_working(self) -> bool:
        return self.state == self.State.CONNECTED and not self.is_unreadable

    @property
    def is_unreadable(self) -> bool:
        """Whether no encryption key opens a stored token: Lever has to be connected again, or the key put back."""
        return isinstance(self.access_token, UnreadableSecret) or isinstance(
            self.refresh_token, UnreadableSecret
        )

    @property
    def granted_scopes(self) -> set[str]:
        return set(self.scopes.split())

    def lacks(self, scope: str) -> bool:
        """Whether Lever said what it granted, and this write scope isn't among it."""
        return bool(self.granted_scopes) and scope not in self.granted_scopes

    @property
    def ends_at(self) -> datetime | None:
        """When the refresh token expires: a year after consent."""
        return self.connected_at + REFRESH_LIFETIME if self.connected_at else None

    @property
    def giver(self) -> str:
        """Who signed in to Lever, with their address; empty where Lever didn't say."""
        return person_text(self.lever_user_name, self.lever_user_email)

    def accept_grant(self, grant: LeverGrant, user: User) -> None:
        """Store the grant of a new consent, which the user gave, and mark the connection as working."""
        now, tokens = database.now(), grant.tokens
        self.state, self.state_reason = self.State.CONNECTED, ""
        self.access_token = tokens["access_token"]
        self.refresh_token = _text(tokens, "refresh_token")
        self.access_expires_at = now + _lifetime(tokens)
        self.scopes = _text(tokens, "scope")
        self.refreshed_at = self.connected_at = now
        self.first_connected_at = self.first_connected_at or now
        # the consent may be for another account: its lists are read, and all its candidates compared
        self.stages_refreshed_at = self.roles_refreshed_at = self.swept_at = None
        self.connected_by = user
        self.generation += 1
        self.refresh_leased_until = None
        self.lever_user_id, self.lever_account_id = grant.user_id, grant.account_id
        self.lever_user_name, self.lever_user_email = grant.user_name[:300], grant.user_email[:300]
        self.save()

    def lease_refresh(self) -> bool:
        """Lease the refresh of this generation of tokens. Return False when another worker refreshes or has done so.

        A lease rather than a row lock: it works the same on SQLite, and no transaction stays open during the call
        to Lever. The lease of a worker that died expires after REFRESH_LEASE.
        """
        free = models.Q(refresh_leased_until__isnull=True) | models.Q(refresh_leased_until__lt=Now())
        return bool(
            LeverConnection.objects.filter(
                free, pk=self.pk, generation=self.generation, state=self.State.CONNECTED
            ).update(refresh_leased_until=Now() + REFRESH_LEASE)
        )

    def rotate(self, tokens: dict[str, Any]) -> None:
        """Store the pair that a refresh returned, unless the tokens it was made from were replaced by others."""
        now = database.now()
        LeverConnection.objects.filter(pk=self.pk, generation=self.generation).update(
            **sealed(
                self,
                access_token=tokens["access_token"],
                refresh_token=_text(tokens, "refresh_token") or self.refresh_token,
            ),
            access_expires_at=now + _lifetime(tokens),
            scopes=_text(tokens, "scope") or self.scopes,
            refreshed_at=now,
            generation=self.generation + 1,
            refresh_leased_until=None,
        )
        self.refresh_from_db()

    def release_refresh(self) -> None:
        """End the refresh lease after a failure that leaves the grant as it is."""
        LeverConnection.objects.filter(pk=self.pk, generation=self.generation).update(
            refresh_leased_until=None
        )

    def mark_needs_reconnect(self, reason: str) -> bool:
        """Record that Lever no longer accepts these tokens. Return False when they were replaced, or it was known."""
        changed = LeverConnection.objects.filter(
            pk=self.pk, generation=self.generation, state=self.State.CONNECTED
        ).update(state=self.State.NEEDS_RECONNECT, state_reason=reason, refresh_leased_until=None)
        self.refresh_from_db()
        return bool(changed)

    def disconnect(self, reason: str) -> None:
        """Delete the tokens. Safe to run twice."""
        LeverConnection.objects.filter(pk=self.pk).update(
            state=self.State.REVOKED,
            state_reason=reason,
            access_token="",
            refresh_token="",
            generation=models.F("generation") + 1,
            refresh_leased_until=None,
        )
        self.refresh_from_db()
