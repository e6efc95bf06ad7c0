"""The filters that several lists of the admin share: organization, kind and time."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, ChangeList
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from integrations.admin.access import organizations
from integrations.lists import is_key

MAX_ORGANIZATIONS = 50


def key_of(value: str | None) -> str:
    """Return the key that an address has, empty for none. Raises IncorrectLookupParameters where it is no key."""
    text = str(value or "")
    if text and not is_key(text):
        raise IncorrectLookupParameters
    return text


class OrganizationFilter(admin.SimpleListFilter):
    """Filter by one of the organizations that the person sees; absent when there is only one and none is chosen."""

    title = "organization"
    parameter_name = "organization"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any
    ) -> None:
        self.organization_path: str = model_admin.organization_path
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        names = organizations(request).values_list("pk", "name")[:MAX_ORGANIZATIONS]
        choices = [(str(pk), name) for pk, name in names]
        # Django ignores a value in the address where there are no choices
        return choices if len(choices) > 1 or self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen organization's rows of a list that is scoped already."""
        key = key_of(self.value())
        return queryset.filter(**{self.organization_path: key}) if key else queryset


class ChoiceFilter(admin.SimpleListFilter):
    """Keep the rows of the chosen kind; a subclass made by `choice_filter` says which kinds there are."""

    kinds: ClassVar[Mapping[str, tuple[str, Q]]] = {}

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the kinds, without querying the rows."""
        return [(value, label) for value, (label, _) in self.kinds.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the chosen kind, none for a kind that there isn't."""
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(self.kinds[value][1]) if value in self.kinds else queryset.none()


def choice_filter(title: str, parameter: str, kinds: Mapping[str, tuple[str, Q]]) -> type[ChoiceFilter]:
    """Return the filter by these kinds: by the value in the address, the name for people and the condition."""
    columns = {"title": title, "parameter_name": parameter, "kinds": kinds}
    return type("ChoiceFilter", (ChoiceFilter,), columns)


GoneFilter = choice_filter(
    "whether it is still there",
    "gone",
    {"no": ("Listed now", Q(gone_at__isnull=True)), "yes": ("Gone", Q(gone_at__isnull=False))},
)
#: Rows with a column `failures`, which counts them in a row.
FailingFilter = choice_filter(
    "whether it fails", "failing", {"yes": ("Failing", Q(failures__gt=0)), "no": ("Working", Q(failures=0))}
)


PERIOD, SINCE, UNTIL = "period", "since", "until"
PERIODS = {
    "day": "Last 24 hours",
    "week": "Last 7 days",
    "month": "Last 30 days",
    "quarter": "This quarter",
    "last_quarter": "Last quarter",
    "year": "This year",
}
_DAYS = {"day": 1, "week": 7, "month": 30}


def quarter_of(day: date) -> date:
    """Return the first day of the quarter that a day is in."""
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def bounds_of(period: str) -> tuple[datetime | None, datetime | None]:
    """Return when a named period begins and ends; None for no bound. Quarters and years are those of UTC."""
    now = timezone.now().astimezone(UTC)
    this_quarter = quarter_of(now.date())
    if period in _DAYS:
        return now - timedelta(days=_DAYS[period]), None
    match period:
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
    """Keep the rows of a period, by an index; a subclass made by `period_of` says by which column.

    Django's date hierarchy would read the first and last time of all rows, and every day that has rows.
    """

    title = "time"
    #: The names in the address, which ScopedAdmin allows.
    parameter_names = (PERIOD, SINCE, UNTIL)
    column = ""

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.period, self.since, self.until = (
            str(params.pop(name, [""])[-1]).strip()[:40] for name in self.parameter_names
        )
        #: The other parameters of the address, which the form passes on.
        self.others = [
            (name, value)
            for name in request.GET
            if name not in {*self.parameter_names, PAGE_VAR, ERROR_FLAG}
            for value in request.GET.getlist(name)
        ]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
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
        begin, end = self.bounds()
        if begin is not None:
            queryset = queryset.filter(**{f"{self.column}__gte": begin})
        return queryset if end is None else queryset.filter(**{f"{self.column}__lt": end})

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
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
        if self.since or self.until:
            yield {
                "selected": True,
                "query_string": changelist.get_query_string(),
                "display": f"{self.since} to {self.until}",
            }


def period_of(column: str) -> type[PeriodFilter]:
    """Return the filter by that column."""
    return type("PeriodFilter", (PeriodFilter,), {"column": column})
