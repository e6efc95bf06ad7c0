"""The tokens by which programs of an organization read its rows."""

import hashlib
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from integrations.core.vocabulary import LabelledEnum
from integrations.organizations.models.organization import Organization
from integrations.store import database
from integrations.store.columns import Holds, harmless, moment

#: How often at most the time of the last use is written.
MARK_USED_EVERY = timedelta(minutes=1)


class ApiScope(LabelledEnum):
    """What a token may read: one list each, whose name in the address is the code."""

    CANDIDATES = "candidates", "Candidates"
    INVITATIONS = "invitations", "Invitations"
    RESULTS = "results", "Results"
    VERDICTS = "verdicts", "Verdicts"
    FINDINGS = "findings", "Findings"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens by what a program sends."""

    def sent_as(self, text: str) -> "ApiToken | None":
        """Return the token that the text is, or was until it was rotated lately, with its organization.

        Also one that has ended.
        """
        digest, rows = digest_of(text), self.select_related("organization")
        replaced = rows.filter(previous_digest=digest, previous_until__gt=Now())
        return rows.filter(digest=digest).first() or replaced.first()

    def live(self) -> Self:
        """Return those that haven't ended."""
        return self.filter(expires_at__gt=Now())

    def of_former_members(self, organization: Organization) -> Self:
        """Return the live tokens of the organization whose maker has no access to it any more."""
        members = organization.memberships.filter(user__is_active=True).values("user")
        return self.live().filter(organization=organization, by_operator=False).exclude(made_by__in=members)


class ApiToken(models.Model):
    """One program's right to read. The token is shown once; its hash is all that is kept."""

    HOLDS = Holds("tokens of programs that read an organization's rows, as hashes", "until it is revoked")

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="api_tokens", db_index=False
    )
    name = harmless(models.CharField(max_length=60))
    digest = harmless(models.CharField(max_length=64, help_text="SHA-256 of the token."))
    previous_digest = harmless(
        models.CharField(max_length=64, blank=True, help_text="SHA-256 of the token that it replaced.")
    )
    previous_until = moment("Until when the replaced token counts.")
    scopes = harmless(models.JSONField(default=list, help_text="The lists that it reads."))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_operator = models.BooleanField(default=False, help_text="Whether the operator made it, by a command.")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="Written at most once a minute.")

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        ordering = ["organization", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="api_token_name_once"),
            models.UniqueConstraint(fields=["digest"], name="api_token_digest_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= database.now()

    @property
    def has_previous(self) -> bool:
        """Whether the token that it replaced still counts."""
        return bool(self.previous_until and self.previous_until > database.now())

    @property
    def ends(self) -> str:
        """The day on which it ends; empty for one that isn't made yet."""
        return f"{self.expires_at:%Y-%m-%d}" if self.expires_at else ""

    @property
    def maker(self) -> str:
        """Who made it, for people."""
        if self.by_operator:
            return "the portal's operator"
        return (self.made_by.get_full_name() or str(self.made_by)) if self.made_by else "a former member"

    @property
    def scope_labels(self) -> list[str]:
        """What it reads, for people."""
        return [scope.label for scope in ApiScope if scope in self.scopes]

    def mark_used(self) -> None:
        """Store that it is used now; at most once per MARK_USED_EVERY."""
        if self.last_used_at is None or database.now() - self.last_used_at > MARK_USED_EVERY:
            ApiToken.objects.filter(pk=self.pk).update(last_used_at=Now())


def digest_of(text: str) -> str:
    """Return the hash of a token. It is random, so that nothing slower is needed against guessing."""
    return hashlib.sha256(text.encode()).hexdigest()
