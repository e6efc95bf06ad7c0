"""The e-mail domains that an organization has proven to be its own."""

import secrets
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now

#: A proven domain whose record is gone loses its power after this time; until then its organization is warned.
LAPSES_AFTER = timedelta(days=7)
#: The name of the TXT record below the domain, and what its text begins with.
RECORD_NAME = "_codescreen-lever-portal"
RECORD_PREFIX = "codescreen-lever-portal="


def make_token() -> str:
    """Return an unguessable text for the domain's TXT record."""
    return secrets.token_urlsafe(24)


def domain_of(address: str) -> str:
    """Return the domain of an e-mail address in lower case; empty where there is none."""
    return address.strip().rpartition("@")[2].rstrip(".").lower() if "@" in address else ""


class SignInDomainQuerySet(models.QuerySet["SignInDomain"]):
    """Domains by what they prove."""

    def proven(self) -> Self:
        """Return the domains that have power."""
        return self.filter(proven_at__isnull=False)

    def proven_of(self, address: str) -> Self:
        """Return the proven domain of an e-mail address: one at most."""
        return self.proven().filter(domain=domain_of(address))

    def demanding(self, address: str) -> Self:
        """Return the proven domain of an address where its organization demands single sign-on: one at most."""
        return self.proven_of(address).filter(organization__identity_provider__mode="required")


class SignInDomain(models.Model):
    """One e-mail domain that an organization names as its own. Without proof it gives no power."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="sign_in_domains"
    )
    domain = models.CharField(max_length=253)
    token = models.CharField(max_length=100, default=make_token)
    created_at = models.DateTimeField(db_default=Now())
    proven_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the record was last looked up.")
    missing_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when the record of a proven domain is gone."
    )

    objects = SignInDomainQuerySet.as_manager()

    class Meta:
        ordering = ["organization", "domain"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "domain"], name="sign_in_domain_once_per_organization"
            ),
            models.UniqueConstraint(
                fields=["domain"],
                condition=models.Q(proven_at__isnull=False),
                name="sign_in_domain_proven_by_one",
            ),
        ]

    def __str__(self) -> str:
        return self.domain

    @property
    def element_id(self) -> str:
        """The row's key as a text, for the ids of page elements."""
        return str(self.pk)

    @property
    def record_name(self) -> str:
        """The name of the TXT record that proves the domain."""
        return f"{RECORD_NAME}.{self.domain}"

    @property
    def record_text(self) -> str:
        """The text of the TXT record that proves the domain."""
        return f"{RECORD_PREFIX}{self.token}"

    @property
    def lapses_at(self) -> datetime | None:
        """When a proven domain whose record is gone loses its power; None while the record is there."""
        return self.missing_since + LAPSES_AFTER if self.missing_since else None
