"""What the portal does by the clock, in the admin. Superusers look; nobody changes anything."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import PortalDuty


@admin.register(PortalDuty)
class PortalDutyAdmin(PortalWideAdmin):
    """When each ran last, how that ended, and when it runs next."""

    list_display = ("name", "started_at", "finished_at", "succeeded_at", "due_at", "last_error")
    fields = list_display
    ordering = ("name",)
