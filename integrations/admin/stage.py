"""Lever's stages in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import GoneFilter, OrganizationFilter
from integrations.models import Stage


@admin.register(Stage)
class StageAdmin(ScopedAdmin):
    """Lever's stages, as last read."""

    list_display = ("name", "position", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("name", "external_id__exact")
