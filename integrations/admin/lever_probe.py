"""What the hourly check of each Lever account found, in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import LeverProbe


@admin.register(LeverProbe)
class LeverProbeAdmin(ScopedAdmin):
    """The results of the hourly checks."""

    list_display = (
        "organization",
        "checked_at",
        "is_template_gone",
        "is_author_gone",
        "missed_events",
        "silent_since",
    )
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
