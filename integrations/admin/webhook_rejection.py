"""Webhook requests that were rejected, in the admin. Nothing of the requests is stored, so they are counted."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.admin.period import period_of
from integrations.models import WebhookRejection
from integrations.vocabulary import Platform
from integrations.workflow.health.webhook_rejections import describe


@admin.register(WebhookRejection)
class WebhookRejectionAdmin(ScopedAdmin):
    """How often requests were rejected and when last, by reason."""

    list_display = ("last_at", "sender", "why", "code", "count", "organization")
    list_filter = (period_of("last_at"), "platform", OrganizationFilter)
    list_select_related = ("organization",)
    ordering = ("-last_at", "-pk")
    fields = ("organization", "sender", "why", "code", "hint", "count", "last_at")
    readonly_fields = ("sender", "why")

    @admin.display(description="sender", ordering="platform")
    def sender(self, rejection: WebhookRejection) -> str:
        """Return the platform that the requests seem to come from."""
        return dict(Platform.choices()).get(rejection.platform, rejection.platform)

    @admin.display(description="why")
    def why(self, rejection: WebhookRejection) -> str:
        """Return why they were rejected, and what cures it."""
        sentence = describe(rejection.code, rejection.hint)
        return sentence[:1].upper() + sentence[1:]
