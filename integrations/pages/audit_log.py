"""The audit log: who changed what, when, from what to what; filtered, 50 at a time, and as CSV."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.views.generic import TemplateView

from integrations.audit.changes import Change, changes_of
from integrations.audit.models.chain_head import ChainHead
from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.lists import LongListPaginator
from integrations.members.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.times import within_days
from integrations.pages.views import ListExport

PAGE_SIZE = 50
MAX_CHOICES = 200
MAX_VALUE_LENGTH = 300
COLUMNS = ("when (UTC)", "who", "action", "target", "what", "from", "to", "reason", "position", "hash")


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
    """Show the entries, 50 at a time."""

    template_name = "integrations/audit_log.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page, and the people and actions to filter by."""
        filters = self.filters()
        page = LongListPaginator(self.entries(), PAGE_SIZE).get_page(self.request.GET.get("page"))
        used_actions = set(self._distinct("action"))
        return super().get_context_data(
            page=page,
            rows=[(entry, changes_of(entry)) for entry in page],
            filters=filters,
            is_filtered=any(filters.values()),
            people=self._distinct("actor_name"),
            actions=[(value, label) for value, label in AuditAction.choices() if value in used_actions],
            max_value_length=MAX_VALUE_LENGTH,
            head=ChainHead.objects.filter(pk=self.organization.pk).first(),
            **kwargs,
        )

    def _distinct(self, column: str) -> list[str]:
        entries = AuditEntry.objects.filter(organization=self.organization).order_by(column)
        return list(entries.values_list(column, flat=True).distinct()[:MAX_CHOICES])


class AuditExportView(AuditLogMixin, ListExport):
    """Stream the matching entries as CSV, one line for each change; that it was taken out is recorded after them."""

    list_name = "audit log"

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """Return the file."""
        filename = f"audit-{self.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
        # The query is built here, because the time zone of its days is not active while the answer is streamed.
        last = self.entries().order_by("-pk").values_list("pk", flat=True).first()
        entries = self.entries().filter(pk__lte=last or 0)
        return self.file(filename, COLUMNS, self._rows(entries), entries.count())

    def _rows(self, entries: QuerySet[AuditEntry]) -> Iterator[tuple[object, ...]]:
        for entry in entries.iterator(chunk_size=500):
            for change in changes_of(entry) or [Change("", "", "")]:
                yield (
                    entry.at,
                    entry.actor_name,
                    entry.get_action_display(),
                    entry.target,
                    change.name,
                    change.before,
                    change.after,
                    entry.reason,
                    entry.position,
                    entry.hash,
                )
