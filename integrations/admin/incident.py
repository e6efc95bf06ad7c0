"""Incidents in the admin: what was broken or waited for a person, and when members were notified."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import Incident


@admin.register(Incident)
class IncidentAdmin(ScopedAdmin):
    """Each ongoing or past failure."""

    list_display = ("code", "began_at", "notified_at", "ended_at", "organization")
    list_filter = ("code", OrganizationFilter)
    list_select_related = ("organization",)
    date_hierarchy = "began_at"
