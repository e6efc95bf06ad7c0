"""Heartbeats of the workers, in the admin."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import Heartbeat


@admin.register(Heartbeat)
class HeartbeatAdmin(PortalWideAdmin):
    """When each kind of worker last made progress."""

    list_display = ("name", "at")
