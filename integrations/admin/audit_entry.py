"""The audit log in the admin: who changed what."""

from django.contrib import admin
from django.utils.safestring import SafeString

from integrations.admin.base import OrganizationFilter, ScopedAdmin
from integrations.admin.display import indented
from integrations.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """Every change a person or a command made."""

    list_display = ("at", "actor_name", "action", "target", "reason", "organization")
    list_display_links = ("at", "action")
    list_filter = ("at", "target_kind", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("actor_name", "action", "target")
    search_hint = "who, what was done, or to what"
    ordering = ("-at", "-pk")
    fields = ("at", "organization", "actor_name", "action", "target", "changes_shown", "reason")
    readonly_fields = ("changes_shown",)

    def organization_of(self, row: AuditEntry) -> int:
        """Return the id of its organization; 0, which is nobody's, for an entry about the whole portal."""
        return row.organization_id or 0

    @admin.display(description="changes")
    def changes_shown(self, entry: AuditEntry) -> str | SafeString:
        """Show what changed; secrets were masked when it was written."""
        return indented(entry.changes)
