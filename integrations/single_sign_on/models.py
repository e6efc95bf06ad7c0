"""Single sign-on of one organization: its provider, its domains, and who a person is there."""

import secrets
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from integrations.store.columns import EncryptedTextField, moment, one_of
from integrations.store.personal import WITH_ORGANIZATION, Holds, about_user, harmless


class IdentityProviderQuerySet(models.QuerySet["IdentityProvider"]):
    """Providers by whether they are in use."""

    def on(self) -> Self:
        """Return those by which members may sign in."""
        return self.exclude(mode=IdentityProvider.Mode.OFF)


class IdentityProvider(models.Model):
    """The OpenID Connect provider that signs an organization's members in."""

    HOLDS = Holds("the provider of an organization's single sign-on", WITH_ORGANIZATION)

    class Mode(models.TextChoices):
        """Whether members may, or must, sign in by the provider."""

        OFF = "off", "Off: only “Try it” uses the provider"
        OFFERED = "offered", "Offered: members may also sign in with their password"
        REQUIRED = "required", "Required: passwords don't open this organization"

    organization = models.OneToOneField(
        "integrations.Organization", on_delete=models.CASCADE, related_name="identity_provider"
    )
    issuer = harmless(
        models.CharField(
            max_length=500,
            verbose_name="issuer",
            help_text="The provider's address, exactly as its discovery document gives it.",
        )
    )
    client_id = harmless(
        models.CharField(
            max_length=300, verbose_name="client id", help_text="What the provider calls this portal."
        )
    )
    client_secret = EncryptedTextField(blank=True, verbose_name="client secret")
    mode = models.CharField(max_length=20, choices=Mode, default=Mode.OFF, verbose_name="single sign-on")
    counts_as_second_factor = models.BooleanField(
        default=True,
        verbose_name="the provider's sign-in counts as second factor",
        help_text="Turn it off when the provider doesn't ask for a second factor itself.",
    )
    tried_at = moment("When these settings last signed somebody in.")
    checked_at = moment("When the provider was last asked for its discovery document.")
    failure = harmless(
        models.TextField(blank=True, help_text="Why the provider couldn't be used at that time.")
    )

    objects = IdentityProviderQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("identity_provider_mode_known", "mode", ["off", "offered", "required"]),
            models.CheckConstraint(
                condition=models.Q(mode="off") | models.Q(tried_at__isnull=False),
                name="identity_provider_tried_before_use",
            ),
        ]

    def __str__(self) -> str:
        return f"Single sign-on · {self.organization}"

    @property
    def is_on(self) -> bool:
        return self.mode != self.Mode.OFF


class ProviderIdentity(models.Model):
    """Who a person is at a provider, bound when they first signed in by it; their address there may change later."""

    HOLDS = Holds(
        "who a member is at the provider",
        "as long as the account and the provider, or until a Super Admin unbinds it",
    )

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="identities")
    subject = about_user(
        "the provider's own name of the person",
        models.CharField(max_length=255, help_text="The provider's own, unchanging name of the person."),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="provider_identities"
    )
    bound_at = models.DateTimeField(db_default=Now())
    signed_in_at = moment()

    class Meta:
        verbose_name_plural = "provider identities"
        ordering = ["provider", "user"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="provider_identity_subject_once"),
            models.UniqueConstraint(fields=["provider", "user"], name="provider_identity_user_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at the provider of {self.provider.organization}"


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

    HOLDS = Holds("an e-mail domain of an organization", WITH_ORGANIZATION)

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="sign_in_domains"
    )
    domain = harmless(models.CharField(max_length=253))
    token = harmless(models.CharField(max_length=100, default=make_token))
    created_at = models.DateTimeField(db_default=Now())
    proven_at = moment()
    checked_at = moment("When the record was last looked up.")
    missing_since = moment("Since when the record of a proven domain is gone.")

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
        return f"{RECORD_NAME}.{self.domain}"

    @property
    def record_text(self) -> str:
        return f"{RECORD_PREFIX}{self.token}"

    @property
    def lapses_at(self) -> datetime | None:
        """When a proven domain whose record is gone loses its power; None while the record is there."""
        return self.missing_since + LAPSES_AFTER if self.missing_since else None
