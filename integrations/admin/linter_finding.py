"""The linter's findings in the admin, and since when they hold."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import GoneFilter, OrganizationFilter
from integrations.models import LinterFinding


@admin.register(LinterFinding)
class LinterFindingAdmin(ScopedAdmin):
    """The linter's findings over time."""

    list_display = ("code", "level", "message", "first_seen_at", "gone_at", "organization")
    list_filter = (GoneFilter, "level", "code", OrganizationFilter)
    list_select_related = ("organization",)
