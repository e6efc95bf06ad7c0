"""What the linter found and since when, in the admin."""

from django.contrib import admin

from integrations.admin.base import OrganizationFilter, ScopedAdmin
from integrations.models import LinterFinding


@admin.register(LinterFinding)
class LinterFindingAdmin(ScopedAdmin):
    """The linter's findings over time."""

    list_display = ("code", "level", "message", "first_seen_at", "gone_at", "organization")
    list_filter = ("level", "code", OrganizationFilter)
    list_select_related = ("organization",)
