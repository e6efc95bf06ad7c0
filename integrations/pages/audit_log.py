"""The audit log: who changed what, when, from what to what; filtered, a page at a time, and as CSV."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched, chain
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.views.generic import TemplateView

from integrations.audit.changes import Change, changes_of
from integrations.audit.models.chain import ChainHead
from integrations.audit.models.entry import AuditAction, AuditEntry, TargetKind
from integrations.audit.record import candidates_of, names_of
from integrations.audit.verification import Verification, verify_chain
from integrations.catalog.models import RoleMapping
from integrations.core import slots
from integrations.members.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.times import within_days
from integrations.pages.views import ListExport

PAGE_SIZE = 15
CHUNK = 500
MAX_CHOICES = 200
MAX_VALUE_LENGTH = 300
#: A longer log is checked by the command alone: a request would take more than about five seconds.
MOST_CHECKED = 100_000
COLUMNS = ("when (UTC)", "who", "action", "target", "what", "from", "to", "reason", "position", "hash")


@dataclass(frozen=True)
class LogRow:
    """An entry with what it changed, and what it is about: the name, and the page of the candidate or the mapping."""

    entry: AuditEntry
    changes: Sequence[Change]
    about: str
    url: str = ""


def log_rows(entries: Iterable[AuditEntry]) -> list[LogRow]:
    """Return the rows of a page; a few queries read the names."""
    entries = list(entries)
    candidates = candidates_of(entries)
    names = names_of(candidates.values())
    about = [one.target_id for one in entries if one.target_id and one.target_kind == TargetKind.MAPPING]
    mappings = set(RoleMapping.objects.filter(pk__in=about).values_list("pk", flat=True))
    rows = []
    for entry in entries:
        name, url = entry.target if entry.target != entry.actor_name else "", ""
        if key := candidates.get(entry.pk):
            name, url = names.get(key, "A candidate without a name"), reverse("candidate", args=[key[1]])
        elif entry.target_kind == TargetKind.MAPPING and entry.target_id in mappings:
            url = reverse("mapping-edit", args=[entry.target_id])
        rows.append(LogRow(entry, changes_of(entry), name, url))
    return rows


class AuditLogMixin(OrganizationMixin):
    """The entries that match the filters in the address."""

    allowed_roles = ADMINS

    def check_role(self, request: HttpRequest) -> None:
        """Admit who may read the log in the admin, too."""
        if not self.membership.may_read_log:
            super().check_role(request)

    def filters(self) -> dict[str, str]:
        """Return the filters as they are written in the address, each empty when it isn't set."""
        names = ("person", "action", "since", "until")
        return {name: self.request.GET.get(name, "").strip()[:200] for name in names}

    def entries(self) -> QuerySet[AuditEntry]:
        """Return the matching entries, newest first; a date that can't be read filters nothing."""
        filters = self.filters()
        entries = AuditEntry.objects.filter(organization=self.organization)
        if filters["person"]:
            entries = entries.filter(actor_name=filters["person"])
        if filters["action"]:
            entries = entries.filter(action=filters["action"])
        return within_days(entries, "at", filters["since"], filters["until"]).order_by("-at", "-pk")


class AuditLogView(AuditLogMixin, TemplateView):
    """Show the entries, a page at a time."""

    template_name = "integrations/audit_log.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        filters = self.filters()
        page = Paginator(self.entries().select_related("actor"), PAGE_SIZE).get_page(
            self.request.GET.get("page")
        )
        used_actions = set(self._distinct("action"))
        head = ChainHead.objects.filter(pk=self.organization.pk).first()
        is_checkable = head is None or head.position <= MOST_CHECKED
        return super().get_context_data(
            page=page,
            rows=log_rows(page),
            filters=filters,
            is_filtered=any(filters.values()),
            people=[(name, name) for name in self._distinct("actor_name")],
            actions=[
                (value, capfirst(label)) for value, label in AuditAction.choices() if value in used_actions
            ],
            max_value_length=MAX_VALUE_LENGTH,
            head=head,
            is_checkable=is_checkable,
            checked=self._checked() if is_checkable else None,
            **kwargs,
        )

    def _checked(self) -> Verification | None:
        """Return what a check of the whole chain finds, where it is asked for. Raises Busy.

        The pager's links keep what was asked for; who turns a page asks for no other check.
        """
        if "check" not in self.request.GET or "page" in self.request.GET:
            return None
        slots.hold(slots.Work.EXPORT, self.organization.pk)
        return verify_chain(self.organization.pk, lambda _: None)

    def _distinct(self, column: str) -> list[str]:
        entries = AuditEntry.objects.filter(organization=self.organization).order_by(column)
        return list(entries.values_list(column, flat=True).distinct()[:MAX_CHOICES])


class AuditExportView(AuditLogMixin, ListExport):
    """The matching entries as CSV, one line for each change; that it was taken out is recorded after them."""

    list_name = "audit log"
    list_page = "audit"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        filename = f"audit-{self.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
        return self.file(filename, COLUMNS, self._rows(self.entries().select_related("actor")))

    def _rows(self, entries: QuerySet[AuditEntry]) -> Iterator[tuple[object, ...]]:
        for row in chain.from_iterable(map(log_rows, batched(entries.iterator(CHUNK), CHUNK))):
            entry = row.entry
            for change in row.changes or [Change("", "", "")]:
                yield (
                    entry.at,
                    entry.who,
                    entry.get_action_display(),
                    row.about,
                    change.name,
                    change.before,
                    change.after,
                    entry.reason,
                    entry.position,
                    entry.hash,
                )
