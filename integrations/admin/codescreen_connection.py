"""Connections to CodeScreen in the admin. They are made and changed under Settings."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import secret_column
from integrations.admin.filters import OrganizationFilter
from integrations.models import CodeScreenConnection

API_KEY = secret_column("api_key", "API key")
WEBHOOK_SECRET = secret_column("webhook_secret", "webhook secret")


@admin.register(CodeScreenConnection)
class CodeScreenConnectionAdmin(ScopedAdmin):
    """The keys of CodeScreen accounts."""

    list_display = ("organization", "state", "state_reason", API_KEY, "verified_at", "last_received_at")
    list_filter = ("state", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    fields = (
        "organization",
        "state",
        "state_reason",
        API_KEY,
        WEBHOOK_SECRET,
        "idempotency",
        "key_stored_at",
        "verified_at",
        "last_received_at",
        "assessments_refreshed_at",
    )
    readonly_fields = (API_KEY, WEBHOOK_SECRET)
