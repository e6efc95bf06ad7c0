"""What was broken or waited for a person, and when its members were told, in the admin."""

from django.contrib import admin

from integrations.admin.base import OrganizationFilter, ScopedAdmin
from integrations.models import Trouble


@admin.register(Trouble)
class TroubleAdmin(ScopedAdmin):
    """The spells of each problem."""

    list_display = ("code", "began_at", "told_at", "ended_at", "organization")
    list_filter = ("code", OrganizationFilter)
    list_select_related = ("organization",)
    date_hierarchy = "began_at"
