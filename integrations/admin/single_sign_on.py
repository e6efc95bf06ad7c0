"""Single sign-on in the admin: providers, domains and who is bound. They are changed under Settings."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import secret_column
from integrations.admin.filters import OrganizationFilter
from integrations.models import IdentityProvider, ProviderIdentity, SignInDomain

CLIENT_SECRET = secret_column("client_secret", "client secret")


@admin.register(IdentityProvider)
class IdentityProviderAdmin(ScopedAdmin):
    """The providers of organizations."""

    list_display = ("organization", "issuer", "mode", "counts_as_second_factor", "tried_at", "failure")
    list_filter = ("mode", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("organization__name", "issuer")
    fields = (
        "organization",
        "issuer",
        "client_id",
        CLIENT_SECRET,
        "mode",
        "counts_as_second_factor",
        "tried_at",
        "checked_at",
        "failure",
    )
    readonly_fields = (CLIENT_SECRET,)


@admin.register(SignInDomain)
class SignInDomainAdmin(ScopedAdmin):
    """The e-mail domains of organizations, with their proofs."""

    list_display = ("domain", "organization", "proven_at", "checked_at", "missing_since")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("domain", "organization__name")


@admin.register(ProviderIdentity)
class ProviderIdentityAdmin(ScopedAdmin):
    """Who is bound to which subject of a provider."""

    organization_path = "provider__organization"
    list_display = ("user", "provider", "bound_at", "signed_in_at")
    list_select_related = ("user", "provider__organization")
    search_fields = ("user__username", "user__email")

    def organization_of(self, row: ProviderIdentity) -> int:
        """Return the id of the organization whose provider it is."""
        return row.provider.organization_id
