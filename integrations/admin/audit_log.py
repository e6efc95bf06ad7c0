"""The audit log in the admin: who changed what, from what to what, and where each chain ends."""

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.admin.access import Right
from integrations.admin.base import PortalWideAdmin, ScopedAdmin
from integrations.admin.display import NOTHING, shown_text
from integrations.admin.filters import OrganizationFilter, choice_filter, incident_filter, period_of
from integrations.audit.changes import changes_in_parts
from integrations.audit.models.audited_rows import MODELS
from integrations.audit.models.chain_head import AnnouncedHead, ChainHead
from integrations.audit.models.entry import AuditEntry, AuditSubject

LINE_OF = 3
LONGEST = 60


def changes_line(entry: AuditEntry) -> str:
    """Return what an entry changed on one line: the first few fields."""
    changes = changes_in_parts(entry, shown_text)
    shown = [
        f"{change.label}: {change.note or f'{_cut(change.before)} → {_cut(change.after)}'}"
        for change in changes[:LINE_OF]
    ]
    more = f" · and {len(changes) - LINE_OF} more" if len(changes) > LINE_OF else ""
    return " · ".join(shown) + more


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def changes_table(entry: AuditEntry) -> str | SafeString:
    """Return what an entry changed as a table."""
    if entry.is_erased:
        return "Erased, since it was about a person whose data was erased."
    changes = changes_in_parts(entry, shown_text)
    if not changes:
        return NOTHING
    cells = (
        format_html(
            '<td colspan="2">{}</td>', f"The secret was {change.note}. Its value isn't kept in this log."
        )
        if change.note
        else format_html("<td>{}</td><td>{}</td>", change.before, change.after)
        for change in changes
    )
    rows = zip((change.label for change in changes), cells, strict=True)
    return format_html(
        '<table class="changes"><thead><tr><th scope="col">What</th><th scope="col">Before</th>'
        '<th scope="col">After</th></tr></thead><tbody>{}</tbody></table>',
        format_html_join("", '<tr><th scope="row">{}</th>{}</tr>', rows),
    )


def target_link(entry: AuditEntry) -> str | SafeString:
    """Return the name of the row that an entry is about, as a link where the admin has a page of it."""
    model = MODELS.get(entry.target_kind)
    name = entry.target or entry.get_target_kind_display()
    if model is None or not entry.target_id:
        return name
    address = reverse(f"admin:integrations_{model._meta.model_name}_change", args=[entry.target_id])
    return format_html('<a href="{}">{}</a>', address, name)


AboutFilter = choice_filter(
    "what was changed",
    "about",
    {subject.value: (subject.label, Q(action__in=subject.actions)) for subject in AuditSubject},
)


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
