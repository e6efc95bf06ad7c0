"""People's passkeys in the admin, for superusers."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import Passkey


@admin.register(Passkey)
class PasskeyAdmin(PortalWideAdmin):
    """Who has which passkeys, since when, and when each was last used."""

    list_display = ("user", "name", "created_at", "last_used_at")
    list_select_related = ("user",)
    fields = ("user", "name", "credential_id", "sign_count", "created_at", "last_used_at")
    search_fields = ("user__username", "name")
