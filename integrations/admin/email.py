"""The wording of e-mails and who wants them, and requests refused at the door, in the admin."""

from django.contrib import admin

from integrations.admin.base import OrganizationFilter, ScopedAdmin
from integrations.models import EmailTemplate, NotificationPreference, WebhookRejection


@admin.register(EmailTemplate)
class EmailTemplateAdmin(ScopedAdmin):
    """The customers' own wording; changed on the site's pages, where its variables are checked."""

    list_display = ("kind", "subject", "updated_at", "organization")
    list_filter = ("kind", OrganizationFilter)
    list_select_related = ("organization",)
    fields = ("organization", "kind", "subject", "body", "updated_at")


@admin.register(NotificationPreference)
class NotificationPreferenceAdmin(ScopedAdmin):
    """Who said which e-mails they want."""

    organization_path = "membership__organization"
    list_display = ("membership", "kind", "is_wanted", "updated_at")
    list_filter = ("kind", "is_wanted")
    list_select_related = ("membership__user", "membership__organization")
    fields = ("membership", "kind", "is_wanted", "updated_at")

    def organization_of(self, row: NotificationPreference) -> int:
        """Return the id of the membership's organization."""
        return int(row.membership.organization_id)


@admin.register(WebhookRejection)
class WebhookRejectionAdmin(ScopedAdmin):
    """How often, and for what reason, requests were refused at the door."""

    list_display = ("platform", "code", "count", "last_at", "hint", "organization")
    list_filter = ("platform", OrganizationFilter)
    list_select_related = ("organization",)
