"""CodeScreen's assessments in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import GoneFilter, OrganizationFilter
from integrations.models import Assessment


@admin.register(Assessment)
class AssessmentAdmin(ScopedAdmin):
    """CodeScreen's assessments, as last read."""

    list_display = ("name", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("name", "external_id__exact")
