"""Connections to Lever in the admin: whether they work and since when. They are made and changed under Settings."""

from datetime import datetime

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import secret_column
from integrations.admin.filters import OrganizationFilter
from integrations.models import LeverConnection

ACCESS_TOKEN = secret_column("access_token", "access token")
REFRESH_TOKEN = secret_column("refresh_token", "refresh token")


@admin.register(LeverConnection)
class LeverConnectionAdmin(ScopedAdmin):
    """The grants of Lever accounts."""

    list_display = (
        "organization",
        "state",
        "state_reason",
        "connected_by",
        "connected_at",
        "refreshed_at",
        "ends_at",
    )
    list_filter = ("state", OrganizationFilter)
    list_select_related = ("organization", "connected_by")
    search_fields = ("organization__name",)
    fields = (
        "organization",
        "state",
        "state_reason",
        "connected_by",
        "connected_at",
        "first_connected_at",
        "ends_at",
        ACCESS_TOKEN,
        "access_expires_at",
        REFRESH_TOKEN,
        "refreshed_at",
        "generation",
        "scopes",
        "lever_account_id",
        "lever_user_id",
        "feedback_template_id",
        "stages_refreshed_at",
        "roles_refreshed_at",
        "clock_ahead",
        "clock_compared_at",
    )
    readonly_fields = ("ends_at", ACCESS_TOKEN, REFRESH_TOKEN)

    @admin.display(description="consent ends")
    def ends_at(self, connection: LeverConnection) -> datetime | None:
        """Return when Lever ends the grant at the latest."""
        return connection.ends_at
