"""What the cache keeps in the database, in the admin, for superusers."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import CacheEntry


@admin.register(CacheEntry)
class CacheEntryAdmin(PortalWideAdmin):
    """Which values are kept and until when; not the values: some are addresses of people."""

    list_display = ("key", "expires_at")
    fields = list_display
    ordering = ("key",)
