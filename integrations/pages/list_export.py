"""A list as a CSV file, which is recorded: what was taken out, and how many lines, but nobody's name."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import AuditAction
from integrations.lists import csv_answer, csv_lines
from integrations.pages.access import OrganizationMixin


class ListExport(OrganizationMixin):
    """A view that answers with a list as a file."""

    http_method_names = ["get"]
    #: What the list is of, as the audit log says it.
    list_name = ""

    def file(
        self, filename: str, columns: Iterable[str], rows: Iterable[Iterable[object]], count: int
    ) -> StreamingHttpResponse:
        """Record the export of so many lines, with the filters by name alone, and return the answer."""
        changes: dict[str, tuple[object, object]] = {
            "list": (None, self.list_name),
            "lines": (None, count),
            "filters": (None, self._filters_set() or "none"),
        }
        audit(self.organization, self.user, AuditAction.EXPORT_LIST, changes)
        return csv_answer(filename, csv_lines(columns, rows))

    def _filters_set(self) -> str:
        # not their values: what was searched for may be a candidate's name, and the log outlives their other data
        return ", ".join(sorted(name for name, value in self.request.GET.items() if value))[:300]
