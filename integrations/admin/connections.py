"""Connections and webhooks in the admin: whether they work and since when; made and changed under Settings."""

from typing import Any

from django.contrib import admin

from integrations.admin.base import OrganizationFilter, ScopedAdmin
from integrations.models import CodeScreenConnection, LeverConnection, LeverProbe, LeverWebhook


def shown_secret(name: str, description: str) -> Any:
    """Return a column that says whether a secret is set, by its length: the value itself is never read."""

    @admin.display(description=description)
    def shown(row: Any) -> str:
        return "set" if getattr(row, f"{name}_length", 0) else "empty"

    return shown


ACCESS_TOKEN = shown_secret("access_token", "access token")
REFRESH_TOKEN = shown_secret("refresh_token", "refresh token")
API_KEY = shown_secret("api_key", "API key")
WEBHOOK_SECRET = shown_secret("webhook_secret", "webhook secret")
SIGNATURE_TOKEN = shown_secret("signature_token", "signature token")
PREVIOUS_TOKEN = shown_secret("previous_signature_token", "previous signature token")


@admin.register(LeverConnection)
class LeverConnectionAdmin(ScopedAdmin):
    """Lever's grants."""

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
    def ends_at(self, connection: LeverConnection) -> Any:
        """Say when the grant dies for certain."""
        return connection.ends_at


@admin.register(CodeScreenConnection)
class CodeScreenConnectionAdmin(ScopedAdmin):
    """CodeScreen's keys."""

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


@admin.register(LeverWebhook)
class LeverWebhookAdmin(ScopedAdmin):
    """The webhooks in Lever that the portal knows of."""

    list_display = (
        "organization",
        "event",
        "origin",
        "name",
        SIGNATURE_TOKEN,
        "retired_at",
        "last_verified_at",
        "last_received_at",
    )
    list_filter = ("origin", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    # its address holds the webhook key, so it isn't among them
    fields = (
        "organization",
        "event",
        "origin",
        "name",
        "lever_webhook_id",
        SIGNATURE_TOKEN,
        "token_stored_at",
        "token_proved_at",
        PREVIOUS_TOKEN,
        "previous_until",
        "previous_proved_at",
        "created_at",
        "listed_at",
        "missing_since",
        "retired_at",
        "last_verified_at",
        "last_received_at",
    )
    readonly_fields = (SIGNATURE_TOKEN, PREVIOUS_TOKEN, "created_at")


@admin.register(LeverProbe)
class LeverProbeAdmin(ScopedAdmin):
    """What the hourly look at each Lever account found."""

    list_display = (
        "organization",
        "checked_at",
        "is_template_gone",
        "is_author_gone",
        "missed_events",
        "silent_since",
    )
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
