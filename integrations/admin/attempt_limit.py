"""Limits of attempts, in the admin, for superusers."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import AttemptLimit


@admin.register(AttemptLimit)
class AttemptLimitAdmin(PortalWideAdmin):
    """How far limits of attempts are used up; the keys tell neither names nor addresses."""

    list_display = ("key", "count", "free_at")
