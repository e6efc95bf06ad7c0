"""Webhook requests that were rejected, in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import WebhookRejection


@admin.register(WebhookRejection)
class WebhookRejectionAdmin(ScopedAdmin):
    """How often requests were rejected, by reason."""

    list_display = ("platform", "code", "count", "last_at", "hint", "organization")
    list_filter = ("platform", OrganizationFilter)
    list_select_related = ("organization",)
