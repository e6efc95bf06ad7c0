"""Requests for links to choose a password, in the admin, for superusers."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import PasswordLinkRequest


@admin.register(PasswordLinkRequest)
class PasswordLinkRequestAdmin(PortalWideAdmin):
    """Requests that wait for a worker; the addresses aren't shown."""

    list_display = ("pk", "requested_at")
    exclude = ("address",)
