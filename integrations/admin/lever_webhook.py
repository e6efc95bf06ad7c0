"""Webhooks in Lever and their signature tokens, in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import secret_column
from integrations.admin.filters import OrganizationFilter
from integrations.models import LeverWebhook

SIGNATURE_TOKEN = secret_column("signature_token", "signature token")
PREVIOUS_TOKEN = secret_column("previous_signature_token", "previous signature token")


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
