"""Single sign-on of one organization: its provider, and who a person is there."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from integrations.models.encrypted_field import EncryptedTextField


class IdentityProvider(models.Model):
    """The OpenID Connect provider that signs an organization's members in."""

    class Mode(models.TextChoices):
        """Whether members may, or must, sign in by the provider."""

        OFF = "off", "Off: only “Try it” uses the provider"
        OFFERED = "offered", "Offered: members may also sign in with their password"
        REQUIRED = "required", "Required: passwords don't open this organization"

    organization = models.OneToOneField(
        "integrations.Organization", on_delete=models.CASCADE, related_name="identity_provider"
    )
    issuer = models.CharField(
        max_length=500,
        verbose_name="issuer",
        help_text="The provider's address, exactly as its discovery document gives it.",
    )
    client_id = models.CharField(
        max_length=300, verbose_name="client id", help_text="What the provider calls this portal."
    )
    client_secret = EncryptedTextField(blank=True, verbose_name="client secret")
    mode = models.CharField(max_length=20, choices=Mode, default=Mode.OFF, verbose_name="single sign-on")
    counts_as_second_factor = models.BooleanField(
        default=True,
        verbose_name="the provider's sign-in counts as second factor",
        help_text="Turn it off when the provider doesn't ask for a second factor itself.",
    )
    tried_at = models.DateTimeField(
        null=True, blank=True, help_text="When these settings last signed somebody in."
    )
    checked_at = models.DateTimeField(
        null=True, blank=True, help_text="When the provider was last asked for its discovery document."
    )
    failure = models.TextField(blank=True, help_text="Why the provider couldn't be used at that time.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(mode__in=["off", "offered", "required"]),
                name="identity_provider_mode_known",
            ),
            models.CheckConstraint(
                condition=models.Q(mode="off") | models.Q(tried_at__isnull=False),
                name="identity_provider_tried_before_use",
            ),
        ]

    def __str__(self) -> str:
        return f"Single sign-on · {self.organization}"

    @property
    def is_on(self) -> bool:
        """Whether members may sign in by the provider."""
        return self.mode != self.Mode.OFF


class ProviderIdentity(models.Model):
    """Who a person is at a provider, bound when they first signed in by it; their address there may change later."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="identities")
    subject = models.CharField(max_length=255, help_text="The provider's own, unchanging name of the person.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="provider_identities"
    )
    bound_at = models.DateTimeField(db_default=Now())
    signed_in_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "provider identities"
        ordering = ["provider", "user"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="provider_identity_subject_once"),
            models.UniqueConstraint(fields=["provider", "user"], name="provider_identity_user_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at the provider of {self.provider.organization}"
