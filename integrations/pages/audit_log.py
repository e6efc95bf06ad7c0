"""The audit log: who changed what, when, from what to what; filtered, 50 at a time, and as CSV."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.generic import TemplateView, View

from integrations.models import AuditAction, AuditEntry
from integrations.pages.access import ADMINS, OrganizationMixin

PAGE = 50
MOST_CHOICES = 200
LONGEST_SHOWN = 300
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Change:
    """One field that an entry changed."""

    name: str
    before: str
    after: str


def _said(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def changes_of(entry: AuditEntry) -> list[Change]:
    """Return what an entry changed; secrets were masked when it was written."""
    # sorted, since PostgreSQL keeps no order of keys
    return [
        Change(name, _said(before), _said(after)) for name, (before, after) in sorted(entry.changes.items())
    ]


def cell(value: Any) -> str:
    """Return text for a spreadsheet, which must not take it for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _day(text: str) -> date | None:
    try:
        return parse_date(text.strip())
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    """Return when a day begins for the reader."""
    return datetime.combine(day, time.min, timezone.get_current_timezone())


class AuditMixin(OrganizationMixin):
    """The entries that the address asks for."""

    allowed_roles = ADMINS

    def asked(self) -> dict[str, str]:
        """Return the filters as they stand in the address."""
        return {
            name: self.request.GET.get(name, "").replace("\x00", "").strip()[:200]
            for name in ("person", "action", "since", "until")
        }

    def entries(self) -> QuerySet[AuditEntry]:
        """Return the organization's entries, newest first, filtered; a date that is none is left out."""
        asked = self.asked()
        rows = AuditEntry.objects.filter(organization=self.organization)
        if asked["person"]:
            rows = rows.filter(actor_name=asked["person"])
        if asked["action"]:
            rows = rows.filter(action=asked["action"])
        if since := _day(asked["since"]):
            rows = rows.filter(at__gte=_midnight(since))
        if (until := _day(asked["until"])) and until < date.max:
            rows = rows.filter(at__lt=_midnight(until + timedelta(days=1)))
        return rows.order_by("-at", "-pk")


class AuditView(AuditMixin, TemplateView):
    """The log, to read."""

    template_name = "integrations/audit_log.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page and what can be filtered by."""
        asked = self.asked()
        page = Paginator(self.entries(), PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(
            page=page,
            rows=[(entry, changes_of(entry)) for entry in page],
            asked=asked,
            is_filtered=any(asked.values()),
            people=self._values("actor_name"),
            actions=[(action, AuditAction(action).label) for action in self._values("action")],
            longest=LONGEST_SHOWN,
            **kwargs,
        )

    def _values(self, column: str) -> list[str]:
        rows = AuditEntry.objects.filter(organization=self.organization).order_by(column)
        return list(rows.values_list(column, flat=True).distinct()[:MOST_CHOICES])


class _Echo:
    """A file that hands back what is written into it."""

    def write(self, text: str) -> str:
        return text


class AuditExportView(AuditMixin, View):
    """The same entries as CSV, streamed: a long log never stands in memory."""

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """Stream it as a file."""
        name = f"audit-{self.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
        # the filters' days are the reader's: read them before the stream, which is made in no zone
        return StreamingHttpResponse(
            self._lines(self.entries()),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )

    def _lines(self, entries: QuerySet[AuditEntry]) -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield writer.writerow(["when (UTC)", "who", "action", "target", "what", "from", "to", "reason"])
        for entry in entries.iterator(chunk_size=500):
            for change in changes_of(entry) or [Change("", "", "")]:
                row = [
                    f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
                    entry.actor_name,
                    entry.get_action_display(),
                    entry.target,
                    change.name,
                    change.before,
                    change.after,
                    entry.reason,
                ]
                yield writer.writerow([cell(value) for value in row])
