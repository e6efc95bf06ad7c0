"""The duties in the admin: when each was last done for an organization, how long it took and what went wrong."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import FailingFilter, OrganizationFilter
from integrations.models import DutyRun


@admin.register(DutyRun)
class DutyRunAdmin(ScopedAdmin):
    """Each organization's duties."""

    list_display = (
        "duty",
        "organization",
        "succeeded_at",
        "finished_at",
        "duration_ms",
        "failures",
        "due_at",
        "last_error",
    )
    list_filter = (FailingFilter, "duty", OrganizationFilter)
    list_select_related = ("organization",)
    ordering = ("-failures", "due_at")
