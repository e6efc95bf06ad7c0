"""People's authenticator apps in the admin, for superusers."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import AuthenticatorApp


@admin.register(AuthenticatorApp)
class AuthenticatorAppAdmin(PortalWideAdmin):
    """Who has an app, since when, and when it was last used; never its secret."""

    list_display = ("user", "created_at", "confirmed_at", "last_used_at")
    list_select_related = ("user",)
    fields = ("user", "created_at", "confirmed_at", "last_used_at")
    search_fields = ("user__username",)
