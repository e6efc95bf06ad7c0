"""Rating thresholds of assessments in the admin; they are changed on the pages."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import RatingThresholds


@admin.register(RatingThresholds)
class RatingThresholdsAdmin(ScopedAdmin):
    """From which scores the ratings of one assessment begin."""

    list_display = ("assessment", "rating_2_from", "rating_3_from", "rating_4_from", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("assessment",)
