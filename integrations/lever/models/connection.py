"""What lets the portal into one organization's Lever account: an OAuth grant or an API key."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models.functions import Length, Now
from django.db.models.lookups import Exact

from integrations.lever.regions import Region
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


def _is_empty(column: str) -> models.Q:
    """Return the condition that an encrypted column holds nothing: it can't be compared with a text."""
    return models.Q(Exact(Length(column), 0))


@dataclass(frozen=True)
class LeverAccess:
    """What a person gives to connect Lever: a consent, as Lever's token answer, or an API key.

    The token answer has access_token, refresh_token, expires_in (seconds) and scope. The user is who signed in, or in
    whose name is written by an API key; what Lever doesn't say is empty.
    """

    tokens: dict[str, Any] = field(default_factory=dict, repr=False)
    account_id: str = ""
    user_id: str = ""
    user_name: str = ""
    user_email: str = ""
    api_key: str = field(default="", repr=False)
    region: str = Region.WORLDWIDE.value

    @property
    def user(self) -> str:
        """The user, with their address; empty where Lever didn't say."""
        return person_text(self.user_name, self.user_email)


class LeverConnection(models.Model):
    """The OAuth grant or the API key, encrypted; what it allows, whether it works, and in whose name is written."""

    HOLDS = Holds("the OAuth grant or API key, encrypted", WITH_ORGANIZATION)

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
    region = models.CharField(max_length=20, choices=Region, default=Region.WORLDWIDE)
    api_key = EncryptedTextField(blank=True, help_text="In place of tokens.")
    access_token = EncryptedTextField(blank=True)
    refresh_token = EncryptedTextField(blank=True)
    access_expires_at = moment()
    refreshed_at = moment()
    generation = models.PositiveIntegerField(
        default=0, help_text="Incremented with every new pair of tokens."
    )
    refresh_leased_until = moment()
    scopes = harmless(models.TextField(blank=True, help_text="What Lever said that it grants."))
    refused_scopes = harmless(
        models.TextField(blank=True, help_text="What Lever refused when it was tried last.")
    )
    checked_at = moment("When it was last tried what Lever refuses.")
    first_connected_at = moment(
        "Who entered a stage before that is offered, not invited; connecting the same account again doesn't move it."
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
        "their name: who signed in to Lever, or was chosen for an API key",
        models.CharField(max_length=300, blank=True, help_text="The name of that user in Lever."),
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
            one_of("lever_connection_region_known", "region", Region.values),
            models.CheckConstraint(
                condition=_is_empty("api_key") | (_is_empty("access_token") & _is_empty("refresh_token")),
                name="lever_connection_by_grant_or_key",
            ),
            models.CheckConstraint(
                condition=_is_empty("api_key") | ~models.Q(lever_user_id="", lever_user_email=""),
                name="lever_connection_key_has_author",
            ),
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
        """Whether no encryption key opens a stored secret: Lever has to be connected again, or the key put back."""
        secrets = (self.api_key, self.access_token, self.refresh_token)
        return any(isinstance(secret, UnreadableSecret) for secret in secrets)

    def lacks(self, scope: str) -> bool:
        """Whether Lever told what it grants and this isn't among it, or refused it; writing includes reading."""
        told = set(self.scopes.split())
        covers = {scope, scope.replace(":read:", ":write:")}
        return (bool(told) and not told & covers) or scope in self.refused_scopes.split()

    @property
    def ends_at(self) -> datetime | None:
        """When the refresh token expires: a year after consent. None for an API key, which Lever doesn't end."""
        if self.connected_at is None or not self.access_token:
            return None
        return self.connected_at + REFRESH_LIFETIME

    @property
    def user(self) -> str:
        """Who signed in to Lever, or in whose name is written by an API key; empty where Lever didn't say."""
        return person_text(self.lever_user_name, self.lever_user_email)

    def is_to_another_account(self, access: LeverAccess) -> bool:
        """Whether this was a connection to another Lever account than what a person gave, as far as Lever tells."""
        ids = {self.lever_account_id, access.account_id}
        return len(ids) == 2 and "" not in ids

    def accept(self, access: LeverAccess, person: User | None) -> None:
        """Store what a person gave, in place of what was stored before, and mark the connection as working.

        `person` is None where no person of the portal did it.
        """
        now, tokens = database.now(), access.tokens
        self.state, self.state_reason = self.State.CONNECTED, ""
        self.region, self.api_key = access.region, access.api_key
        self.access_token, self.refresh_token = _text(tokens, "access_token"), _text(tokens, "refresh_token")
        self.access_expires_at = now + _lifetime(tokens) if tokens else None
        self.scopes, self.refused_scopes, self.checked_at = _text(tokens, "scope"), "", None
        self.refreshed_at = self.connected_at = now
        if self.is_to_another_account(access):
            self.first_connected_at = None
        self.first_connected_at = self.first_connected_at or now
        # it may be another account's: its lists are read, and all its candidates compared
        self.stages_refreshed_at = self.roles_refreshed_at = self.swept_at = None
        self.connected_by = person
        self.generation += 1
        self.refresh_leased_until = None
        self.lever_user_id, self.lever_account_id = access.user_id, access.account_id
        self.lever_user_name, self.lever_user_email = access.user_name[:300], access.user_email[:300]
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
        """Record that Lever accepts these secrets no longer. Return False when they were replaced, or it was known."""
        changed = LeverConnection.objects.filter(
            pk=self.pk, generation=self.generation, state=self.State.CONNECTED
        ).update(state=self.State.NEEDS_RECONNECT, state_reason=reason, refresh_leased_until=None)
        self.refresh_from_db()
        return bool(changed)

    def store_user(self, user_id: str, name: str, email: str) -> None:
        """Store in whose name is written, by Lever's id, unless the secrets were replaced meanwhile."""
        LeverConnection.objects.filter(pk=self.pk, generation=self.generation).update(
            lever_user_id=user_id, lever_user_name=name[:300], lever_user_email=email[:300]
        )
        self.refresh_from_db()

    def note_refused(self, scopes: Iterable[str]) -> None:
        """Record what Lever refused just now, unless the secrets were replaced meanwhile."""
        LeverConnection.objects.filter(pk=self.pk, generation=self.generation).update(
            refused_scopes=" ".join(scopes), checked_at=database.now()
        )
        self.refresh_from_db()

    def disconnect(self, reason: str) -> None:
        """Delete the secrets. Safe to run twice."""
        LeverConnection.objects.filter(pk=self.pk).update(
            state=self.State.REVOKED,
            state_reason=reason,
            api_key="",
            access_token="",
            refresh_token="",
            generation=models.F("generation") + 1,
            refresh_leased_until=None,
        )
        self.refresh_from_db()
