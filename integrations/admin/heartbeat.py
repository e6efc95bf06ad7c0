"""Heartbeats of the worker processes, in the admin."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import Heartbeat


@admin.register(Heartbeat)
class HeartbeatAdmin(PortalWideAdmin):
    """The nodes, and when each of their worker processes last made progress; a process is shown for 15 minutes."""

    list_display = ("node", "process", "started_at", "at")
    list_filter = ("node",)
    ordering = ("node", "-at")
