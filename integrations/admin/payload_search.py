"""The filter by a text in stored payloads.

Only what the pages show is searched. A search in the payloads as they are stored would reveal what is hidden, such as
a signature or an address, letter by letter.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from integrations.admin.display import shown_text
from integrations.admin.filters import other_parameters

#: So many rows are read for one search, newest first: a second's work at most.
MOST = 2_000
AT_ONCE = 200


class PayloadFilter(admin.ListFilter):
    """Keep the rows whose payload, as it is shown, contains a text; a subclass says which columns hold payloads."""

    title = "text in payloads"
    template = "admin/integrations/text_filter.html"
    parameter_names: ClassVar = ("text",)
    columns: ClassVar[tuple[str, ...]] = ()
    time_column = ""

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.text = str(params.pop("text", [""])[-1]).strip()[:200]
        self.most = f"{MOST:,}"
        self.others = other_parameters(request, self.parameter_names)

    def has_output(self) -> bool:
        """Show it always."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Return its name in the address."""
        return ["text"]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield nothing: the template has a field."""
        return iter(())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the newest rows of the list whose payloads contain the text. It is the last filter of a list."""
        if not self.text:
            return queryset
        wanted = self.text.casefold()
        newest = queryset.select_related(None).order_by(f"-{self.time_column}", "-pk")
        rows = newest.values_list("pk", *self.columns)[:MOST]
        found = [
            pk
            for pk, *payloads in rows.iterator(chunk_size=AT_ONCE)
            if any(wanted in shown_text(payload).casefold() for payload in payloads)
        ]
        return queryset.filter(pk__in=found)


def payload_filter(time_column: str, *columns: str) -> type[PayloadFilter]:
    """Return the filter by a text in these columns of the rows that are newest by that time."""
    return type("PayloadFilter", (PayloadFilter,), {"time_column": time_column, "columns": columns})
