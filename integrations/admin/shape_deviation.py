"""Ways in which a platform differs from the shape that the portal relies on, in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import ShapeDeviation


@admin.register(ShapeDeviation)
class ShapeDeviationAdmin(ScopedAdmin):
    """What was expected and found, since when and how often."""

    list_display = (
        "platform",
        "endpoint",
        "field",
        "found",
        "expected",
        "count",
        "first_seen_at",
        "last_seen_at",
        "organization",
    )
    list_filter = ("platform", OrganizationFilter)
    list_select_related = ("organization",)
