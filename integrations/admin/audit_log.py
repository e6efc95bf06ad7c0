"""The audit log in the admin: who changed what, from what to what."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, Exists, OuterRef, QuerySet, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.admin.base import OrganizationFilter, Right, ScopedAdmin
from integrations.admin.display import NOTHING, column, columns, sentence, shown_text
from integrations.audit.changes import changes_of
from integrations.audit.models.entry import AuditEntry
from integrations.audit.record import MODELS

LINE_OF = 3
LONGEST = 60


def changes_line(entry: AuditEntry) -> str:
    """Return what an entry changed on one line: the first few fields."""
    changes = changes_of(entry, shown_text)
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
    changes = changes_of(entry, shown_text)
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


def target_link(entry: Any) -> str | SafeString:
    """Return the name of the row that an entry is about, as a link while there is such a row and the admin shows it."""
    model = MODELS.get(entry.target_kind)
    name: str = entry.target or entry.get_target_kind_display()
    if model is None or not entry.is_target_there or not admin.site.is_registered(model):
        return name
    address = reverse(f"admin:integrations_{model._meta.model_name}_change", args=[entry.target_id])
    return format_html('<a href="{}">{}</a>', address, name)


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """Changes that people and commands made."""

    read_right: Right = "may_read_log"
    list_display = columns("at person action target_shown changes_listed organization")
    list_filter = ("at", "target_kind", OrganizationFilter)
    lookups = ("action",)
    search_fields = ("actor_name", "action", "target")
    search_hint = "who, what was done, or to what"
    list_select_related = ("organization", "actor")
    ordering = ("-at", "-pk")
    fields = columns(
        "at organization person action target_shown changes_shown reason position previous_hash hash"
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Return the entries with whether the row that each is about is still there."""
        there = (
            When(target_kind=kind, then=Exists(model._base_manager.filter(pk=OuterRef("target_id"))))
            for kind, model in MODELS.items()
        )
        entries: QuerySet[AuditEntry] = super().get_queryset(request)
        return entries.annotate(is_target_there=Case(*there, default=False))

    target_shown = column("about", target_link, "target")
    person = column("who", lambda entry: entry.who, "actor_name")
    # secrets were masked when the entry was written
    changes_listed = column(
        "changes", lambda entry: sentence(" · ".join(filter(None, (changes_line(entry), entry.reason))))
    )
    changes_shown = column("changes", changes_table)
