"""The audit log in the admin: who changed what."""

from django.contrib import admin
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import indented
from integrations.admin.filters import OrganizationFilter
from integrations.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """Changes that people and commands made."""

    list_display = ("at", "actor_name", "action", "target", "reason", "organization")
    list_display_links = ("at", "action")
    list_filter = ("at", "target_kind", OrganizationFilter)
    list_select_related = ("organization",)
    list_defer = ("changes",)
    search_fields = ("actor_name", "action", "target")
    search_hint = "who, what was done, or to what"
    ordering = ("-at", "-pk")
    fields = (
        "at",
        "organization",
        "actor_name",
        "action",
        "target",
        "changes_shown",
        "reason",
        "position",
        "previous_hash",
        "hash",
    )
    readonly_fields = ("changes_shown", "position", "previous_hash", "hash")

    def organization_of(self, row: AuditEntry) -> int:
        """Return the id of its organization; for an entry about the whole portal 0, which no organization has."""
        return row.organization_id or 0

    @admin.display(description="changes")
    def changes_shown(self, entry: AuditEntry) -> str | SafeString:
        """Return what changed; secrets were masked when the entry was written."""
        return indented(entry.changes)
