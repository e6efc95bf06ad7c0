"""Attempts to give a second factor, in the admin."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import SecondFactorLimit


@admin.register(SecondFactorLimit)
class SecondFactorLimitAdmin(PortalWideAdmin):
    """How many attempts are counted behind a person or an address, and until when no further one is looked at."""

    list_display = ("key", "count", "last_at", "blocked_until")
    ordering = ("-last_at",)
