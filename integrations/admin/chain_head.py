"""Where each chain of audit entries and verdicts ends, in the admin."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import AnnouncedHead, ChainHead


@admin.register(ChainHead)
class ChainHeadAdmin(PortalWideAdmin):
    """The head of each organization's chain."""

    list_display = ("chain", "position", "hash")


@admin.register(AnnouncedHead)
class AnnouncedHeadAdmin(PortalWideAdmin):
    """The heads that went into the log and into e-mails."""

    list_display = ("announced_at", "chain", "position", "hash")
    list_filter = ("announced_at",)
    ordering = ("-announced_at", "-pk")
