"""What was broken or waited for a person, and when its members were told, in the admin."""

from django.contrib import admin

from integrations.admin.base import OrganizationFilter, ScopedAdmin
from integrations.models import Incident


@admin.register(Incident)
class IncidentAdmin(ScopedAdmin):
    """The spells of each problem."""

    list_display = ("code", "began_at", "notified_at", "ended_at", "organization")
    list_filter = ("code", OrganizationFilter)
    list_select_related = ("organization",)
    date_hierarchy = "began_at"
