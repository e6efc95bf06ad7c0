"""Alert addresses in the admin, without their secrets. They are changed under Settings."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import secret_column
from integrations.admin.filters import OrganizationFilter
from integrations.models import AlertAddress

URL, SECRET = secret_column("url", "URL"), secret_column("secret", "signing secret")


@admin.register(AlertAddress)
class AlertAddressAdmin(ScopedAdmin):
    """Where the alerts of organizations go."""

    list_display = (
        "name",
        "organization",
        "kind",
        "host",
        "is_on",
        "last_success_at",
        "last_failure_at",
        "stopped_at",
    )
    list_filter = ("kind", "is_on", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("name", "host", "organization__name")
    fields = (
        "organization",
        "name",
        "kind",
        "host",
        URL,
        SECRET,
        "is_on",
        "wants_results",
        "wants_held",
        "wants_incidents",
        "created_at",
        "last_success_at",
        "last_failure_at",
        "last_failure",
        "stopped_at",
    )
    readonly_fields = (URL, SECRET, "created_at")
