"""People's recovery codes in the admin, for superusers."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import RecoveryCode


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(PortalWideAdmin):
    """Whose codes were made and used when; never their hashes."""

    list_display = ("user", "created_at", "used_at")
    list_select_related = ("user",)
    fields = ("user", "created_at", "used_at")
    search_fields = ("user__username",)
