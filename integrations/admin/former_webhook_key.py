"""Webhook keys that were replaced, in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import FormerWebhookKey


@admin.register(FormerWebhookKey)
class FormerWebhookKeyAdmin(ScopedAdmin):
    """Until when former webhook addresses are honoured; the keys themselves aren't shown."""

    list_display = ("__str__", "organization", "replaced_at", "until", "last_used_at")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    exclude = ("key",)
