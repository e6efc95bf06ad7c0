"""What a provider of single sign-on opens: the one organization that it is bound to, or the whole installation."""

from django.db import models

from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.store.encryption import EncryptedTextField


class SingleSignOn(models.Model):
    """Ours beside django-allauth's SocialApp: which people it signs in, and its secret.

    An application without it is unused. Only the operator makes one: nobody else names a host that the portal calls.
    """

    application = models.OneToOneField(
        "socialaccount.SocialApp", on_delete=models.CASCADE, primary_key=True, related_name="single_sign_on"
    )
    organization = models.ForeignKey(
        "integrations.Organization",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="single_sign_on",
        help_text="It signs in members of this organization alone. Empty: of every organization.",
    )
    client_secret = EncryptedTextField(bound_to=("application_id",), verbose_name="client secret")
    is_listed = models.BooleanField(
        default=True,
        verbose_name="on the sign-in page",
        help_text="Whether the sign-in page shows its button; else people open its own address.",
    )
    is_on = models.BooleanField(default=True, verbose_name="in use")

    class Meta:
        verbose_name_plural = "single sign-on"

    def __str__(self) -> str:
        return str(self.application)


def provider_of(organization: Organization) -> SingleSignOn | None:
    """Return the organization's provider that is in use, if it has one."""
    return organization.single_sign_on.filter(is_on=True).select_related("application").order_by("pk").first()


def provider_demanded(user_id: int) -> SingleSignOn | None:
    """Return the provider by which alone the person may sign in; None for who may use a password or passkey.

    Who belongs to several organizations, and staff, can't be signed in by the provider of one, so they keep theirs.
    """
    own = Membership.objects.filter(user=user_id).select_related("organization", "user")[:2]
    if len(own) != 1 or own[0].user.is_staff or not own[0].organization.requires_single_sign_on:
        return None
    return provider_of(own[0].organization)
