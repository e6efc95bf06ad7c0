"""People's sessions in the admin, for superusers."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import UserSession


@admin.register(UserSession)
class UserSessionAdmin(PortalWideAdmin):
    """When people signed in, and from where."""

    list_display = ("user", "began_at", "last_used_at", "ended_at", "address", "browser")
    list_select_related = ("user",)
