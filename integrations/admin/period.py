"""The filter by time: periods with names that lead to the same rows by an index, and any other by its dates.

Django's date hierarchy would read the first and last time of all rows, and every day that has rows.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from integrations.admin.filters import other_parameters

PERIOD, SINCE, UNTIL = "period", "since", "until"
PERIODS = {
    "day": "Last 24 hours",
    "week": "Last 7 days",
    "month": "Last 30 days",
    "quarter": "This quarter",
    "last_quarter": "Last quarter",
    "year": "This year",
}


def quarter_of(day: date) -> date:
    """Return the first day of the quarter that a day is in."""
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def bounds_of(period: str) -> tuple[datetime | None, datetime | None]:
    """Return when a named period begins and ends; None for no bound. Quarters and years are those of UTC."""
    now = timezone.now().astimezone(UTC)
    this_quarter = quarter_of(now.date())
    match period:
        case "day":
            return now - timedelta(days=1), None
        case "week":
            return now - timedelta(days=7), None
        case "month":
            return now - timedelta(days=30), None
        case "quarter":
            return _midnight(this_quarter), None
        case "last_quarter":
            return _midnight(quarter_of(this_quarter - timedelta(days=1))), _midnight(this_quarter)
        case "year":
            return _midnight(date(now.year, 1, 1)), None
    return None, None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _moment(text: str, *, is_end: bool) -> datetime | None:
    """Return the time that was written as a date or a date and time, in UTC; a date's end where it is an end."""
    try:
        day = parse_date(text)
        if day is not None:
            return _midnight(day + timedelta(days=1)) if is_end else _midnight(day)
        moment = parse_datetime(text)
        if moment is not None:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise IncorrectLookupParameters from error
    raise IncorrectLookupParameters


class PeriodFilter(admin.ListFilter):
    """Keep the rows of a period; a subclass made by `period_of` says by which column."""

    title = "time"
    template = "admin/integrations/period_filter.html"
    #: The names in the address, which ScopedAdmin allows.
    parameter_names: ClassVar = (PERIOD, SINCE, UNTIL)
    column = ""

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin
    ) -> None:
        super().__init__(request, params, model, model_admin)
        values = {name: str(params.pop(name, [""])[-1]).strip()[:40] for name in self.parameter_names}
        self.period, self.since, self.until = (values[name] for name in self.parameter_names)
        #: The other parameters of the address, which the form passes on.
        self.others = other_parameters(request, self.parameter_names)

    def has_output(self) -> bool:
        """Show it always."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Return its names in the address."""
        return list(self.parameter_names)

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """Return when the chosen period begins and ends; None for no bound."""
        begin, end = bounds_of(self.period)
        if self.since:
            begin = _moment(self.since, is_end=False)
        if self.until:
            end = _moment(self.until, is_end=True)
        return begin, end

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the period."""
        begin, end = self.bounds()
        if begin is not None:
            queryset = queryset.filter(**{f"{self.column}__gte": begin})
        return queryset if end is None else queryset.filter(**{f"{self.column}__lt": end})

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield the periods."""
        others = [SINCE, UNTIL]
        is_open = not (self.period or self.since or self.until)
        yield {
            "selected": is_open,
            "query_string": changelist.get_query_string(remove=list(self.parameter_names)),
            "display": "Any time",
        }
        for value, label in PERIODS.items():
            yield {
                "selected": self.period == value,
                "query_string": changelist.get_query_string({PERIOD: value}, others),
                "display": label,
            }


def period_of(column: str) -> type[PeriodFilter]:
    """Return the filter by that column."""
    return type("PeriodFilter", (PeriodFilter,), {"column": column})
