"""Any list of the admin, as it is filtered, as a file: CSV for spreadsheets, or JSON lines."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from itertools import batched
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from integrations.admin import access
from integrations.admin.display import NOTHING
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import AuditAction
from integrations.lists import csv_answer, csv_lines, is_key
from integrations.organizations.models.organization import Organization

AT_ONCE = 500
CSV, JSON_LINES = "csv", "jsonl"
#: What the values of filters are: codes, keys, days and times.
_CODE = re.compile(r"[\w.:+-]{1,40}", re.ASCII)


class ExportMixin(admin.ModelAdmin):
    """A list whose rows can be downloaded by everybody who may see it, with what it shows of them."""

    #: Long columns that the list doesn't show, so that it doesn't read them.
    list_defer: tuple[str, ...] = ()

    def get_urls(self) -> list[Any]:
        """Return Django's addresses of the model and that of the file."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        own: list[URLPattern] = [path("export/", self.admin_site.admin_view(self.export), name=name)]
        return [*own, *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Return the rows of the list that the address names, and record who got them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = request.POST.get("format", "")
        if form not in {CSV, JSON_LINES}:
            return self._back(request)
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return self._back(request)
        if isinstance(changelist, HttpResponse):
            return changelist
        self._record(request, changelist, form)
        name = f"{self.opts.model_name}-{timezone.now():%Y-%m-%d}.{form}"
        columns = [column for column in changelist.list_display if column != "action_checkbox"]
        labels = [str(label_for_field(column, self.model, model_admin=self)) for column in columns]
        if form == CSV:
            rows = ([pk, *values] for pk, values in self._values(changelist, columns))
            return csv_answer(name, csv_lines(["number", *labels], rows))
        names = [
            column if isinstance(column, str) else label.replace(" ", "_")
            for column, label in zip(columns, labels, strict=True)
        ]
        return StreamingHttpResponse(
            (
                json.dumps({"id": pk, **dict(zip(names, values, strict=True))}, ensure_ascii=False) + "\n"
                for pk, values in self._values(changelist, columns)
            ),
            content_type="application/jsonl; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )

    def _back(self, request: HttpRequest) -> HttpResponseRedirect:
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return HttpResponseRedirect(address)

    def _values(self, changelist: ChangeList, columns: list[Any]) -> Iterator[tuple[Any, list[object]]]:
        """Yield each row's key and the values of these columns."""
        for row in self._rows(changelist):
            yield row.pk, [_plain(lookup_field(column, row, self)) for column in columns]

    def _rows(self, changelist: ChangeList) -> Iterator[Any]:
        rows = changelist.queryset.defer(*self.list_defer).iterator(chunk_size=AT_ONCE)
        for batch in batched(rows, AT_ONCE):
            self.complete(batch)
            yield from batch

    def complete(self, rows: Sequence[Any]) -> None:
        """Add to the rows of one page of a list what needs a query for all of them."""

    def _record(self, request: HttpRequest, changelist: ChangeList, form: str) -> None:
        """Record it in the log of each organization whose rows may be in the file; an operator's once, in the portal's.

        Not what was searched for: that may be a name, and the log outlives the person's other data.
        """
        changes = {
            "list": (None, str(self.opts.verbose_name_plural)),
            "filters": (None, _without_texts(request.GET)),
            "format": (None, form),
        }
        for organization in self._organizations(request):
            actor = access.current_user(request)
            audit(organization, actor, AuditAction.EXPORT_LIST, changes)

    def _organizations(self, request: HttpRequest) -> list[Organization | None]:
        """Return in whose logs it is recorded, at least one; None stands for the log of the whole portal."""
        chosen = request.GET.get("organization", "")
        if access.is_superuser(request):
            named = Organization.objects.filter(pk=chosen).first() if is_key(chosen) else None
            return [named]
        members = access.staff_memberships(request)
        own = [membership.organization for membership in members.values()]
        # the address names none of theirs: all, since the record must not say less than what was taken out
        return [one for one in own if str(one.pk) == chosen] or list(own)


def _without_texts(parameters: Mapping[str, str]) -> str:
    """Return the filters of a list's address; of texts that were searched for only that there were some."""
    shown = (f"{name}={_shown(name, value)}" for name, value in parameters.items() if value)
    return ", ".join(shown)[:500]


def _shown(name: str, value: str) -> str:
    """Return a filter's value unless it may be about a person: an address can hold any text."""
    is_code = name not in {SEARCH_VAR, "text"} and _CODE.fullmatch(value)
    return value if is_code else "…"


def _plain(found: tuple[Any, Any, Any]) -> object:
    """Return the value of a column without HTML, as a file holds it: times with offset, None for nothing."""
    column, _, value = found
    if column is not None and getattr(column, "flatchoices", None):
        value = dict(column.flatchoices).get(value, value)
    if isinstance(value, SafeString):
        value = unescape(strip_tags(value))
    if value is None or value in ("", NOTHING):
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, (bool, int, float)) else str(value)
