"""Where each chain of audit entries and verdicts ends, in the admin."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import ChainHead


@admin.register(ChainHead)
class ChainHeadAdmin(PortalWideAdmin):
    """The head of each organization's chain."""

    list_display = ("chain", "position", "hash")
