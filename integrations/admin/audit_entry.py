"""The audit log in the admin: who changed what, from what to what."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.admin.access import Right
from integrations.admin.audit_entry_groups import ABOUT
from integrations.admin.base import ScopedAdmin
from integrations.admin.changes import changes_line, changes_table, target_link
from integrations.admin.filters import OrganizationFilter
from integrations.admin.incident_filter import incident_filter
from integrations.admin.period import period_of
from integrations.models import AuditEntry


class AboutFilter(admin.SimpleListFilter):
    """Filter entries by what they are about."""

    title = "what was changed"
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the subjects."""
        return [(value, label) for value, (label, _) in ABOUT.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep the entries about that subject."""
        _, actions = ABOUT.get(str(self.value()), ("", ()))
        return queryset.filter(action__in=actions) if actions else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """Changes that people and commands made."""

    read_right: Right = "may_read_log"
    list_display = ("at", "actor_name", "action", "target_shown", "changes_listed", "reason", "organization")
    list_display_links = ("at", "action")
    list_filter = (
        period_of("at"),
        AboutFilter,
        "target_kind",
        incident_filter("at"),
        OrganizationFilter,
    )
    list_select_related = ("organization",)
    search_fields = ("actor_name", "action", "target")
    search_hint = "who, what was done, or to what"
    ordering = ("-at", "-pk")
    fields = (
        "at",
        "organization",
        "actor_name",
        "action",
        "target_shown",
        "changes_shown",
        "reason",
        "position",
        "previous_hash",
        "hash",
    )
    readonly_fields = ("target_shown", "changes_shown", "position", "previous_hash", "hash")

    def organization_of(self, row: AuditEntry) -> int:
        """Return the id of its organization; for an entry about the whole portal 0, which no organization has."""
        return row.organization_id or 0

    @admin.display(description="about", ordering="target")
    def target_shown(self, entry: AuditEntry) -> str | SafeString:
        """Return what it is about, as a link where the admin has a page of it."""
        return target_link(entry)

    @admin.display(description="changes")
    def changes_listed(self, entry: AuditEntry) -> str:
        """Return the first few changes; secrets were masked when the entry was written."""
        return changes_line(entry) or self.get_empty_value_display()

    @admin.display(description="changes")
    def changes_shown(self, entry: AuditEntry) -> str | SafeString:
        """Return what changed, from what to what; secrets were masked when the entry was written."""
        return changes_table(entry)
