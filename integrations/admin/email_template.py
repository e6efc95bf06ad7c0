"""The customers' own wording of e-mails, in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import EmailTemplate


@admin.register(EmailTemplate)
class EmailTemplateAdmin(ScopedAdmin):
    """The customers' own wording. It is changed on the site's pages, which check its variables."""

    list_display = ("kind", "subject", "updated_at", "organization")
    list_filter = ("kind", OrganizationFilter)
    list_select_related = ("organization",)
    fields = ("organization", "kind", "subject", "body", "updated_at")
