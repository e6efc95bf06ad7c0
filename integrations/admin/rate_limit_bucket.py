"""Rate limits of calls, in the admin."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import RateLimitBucket


@admin.register(RateLimitBucket)
class RateLimitBucketAdmin(PortalWideAdmin):
    """When each account may be called next."""

    list_display = ("key", "free_at")
