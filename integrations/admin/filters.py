"""The filters that several lists of the admin share: organization, time, incident, and a text in stored payloads."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, ChangeList
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from integrations.admin.access import organizations, visible
from integrations.admin.display import shown_text
from integrations.health.models import Incident
from integrations.lists import is_key

MAX_ORGANIZATIONS = 50


def key_of(value: str | None) -> str:
    """Return the key that an address has, empty for none. Raises IncorrectLookupParameters where it is no key."""
    text = str(value or "")
    if text and not is_key(text):
        raise IncorrectLookupParameters
    return text


def other_parameters(request: HttpRequest, own: Collection[str]) -> list[tuple[str, str]]:
    """Return what the form of a filter passes on: the address's parameters but the filter's own and the page."""
    return [
        (name, value)
        for name in request.GET
        if name not in {*own, PAGE_VAR, ERROR_FLAG}
        for value in request.GET.getlist(name)
    ]


class OrganizationFilter(admin.SimpleListFilter):
    """Filter by one of the organizations that the person sees; absent when there is only one and none is chosen."""

    title = "organization"
    parameter_name = "organization"
    #: The lookup from a row of the list to its organization.
    organization_path = "organization"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the person's organizations."""
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


class FormFilter(admin.ListFilter):
    """A filter that is shown always, by a form in its template."""

    #: The names in the address, which ScopedAdmin allows.
    parameter_names: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.values = {name: str(params.pop(name, [""])[-1]).strip() for name in self.parameter_names}
        #: The other parameters of the address, which the form passes on.
        self.others = other_parameters(request, self.parameter_names)

    def has_output(self) -> bool:
        """Show it always."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Return its names in the address."""
        return list(self.parameter_names)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield nothing: the template has a field."""
        return iter(())


class PeriodFilter(FormFilter):
    """Keep the rows of a period, by an index; a subclass made by `period_of` says by which column.

    Django's date hierarchy would read the first and last time of all rows, and every day that has rows.
    """

    title = "time"
    template = "admin/integrations/period_filter.html"
    parameter_names = (PERIOD, SINCE, UNTIL)
    column = ""

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.period, self.since, self.until = (value[:40] for value in self.values.values())

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


#: An incident is noticed a little after it began: what happened so long before it belongs to it.
NOTICED_WITHIN = timedelta(minutes=10)
#: So many incidents are offered as filters; each incident's page links to the rest.
OFFERED_INCIDENTS = 8


def window_of(incident: Incident) -> tuple[datetime, datetime]:
    """Return from when until when something belongs to the incident; until now while it lasts."""
    return incident.began_at - NOTICED_WITHIN, incident.ended_at or timezone.now()


def described(incident: Incident) -> str:
    """Return the incident by name and time."""
    end = f"{incident.ended_at:%-d %b %H:%M}" if incident.ended_at else "now"
    return f"{incident.name}, {incident.began_at:%-d %b %H:%M} – {end}"


class IncidentFilter(admin.SimpleListFilter):
    """Keep the rows of an incident's organization and time; a subclass says by which column."""

    title = "incident"
    parameter_name = "incident"
    column = ""

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Iterable[tuple[str, str]]:
        """Return the latest incidents."""
        latest = visible(Incident, request).order_by("-began_at")[:OFFERED_INCIDENTS]
        return [(str(incident.pk), described(incident)) for incident in latest]

    def has_output(self) -> bool:
        """Filter also where none is offered: without that, an address with an incident would show everything."""
        return super().has_output() or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the chosen incident, which may be older than those offered."""
        key = key_of(self.value())
        if not key:
            return queryset
        incident = visible(Incident, request).filter(pk=key).first()
        if incident is None:
            return queryset.none()
        own = queryset.filter(organization=incident.organization_id)
        return own.filter(**{f"{self.column}__range": window_of(incident)})


def incident_filter(column: str) -> type[IncidentFilter]:
    """Return the filter by the time in that column."""
    return type("IncidentFilter", (IncidentFilter,), {"column": column})


#: So many rows are read for one search, newest first: a second's work at most.
MOST_SEARCHED = 2_000
AT_ONCE = 200


class PayloadFilter(FormFilter):
    """Keep the rows whose payload, as it is shown, contains a text; a subclass says which columns hold payloads.

    A search in the payloads as they are stored would reveal what is hidden, such as a signature or an address, letter
    by letter.
    """

    title = "text in payloads"
    template = "admin/integrations/text_filter.html"
    parameter_names = ("text",)
    columns: ClassVar[tuple[str, ...]] = ()
    time_column = ""

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.text = self.values["text"][:200]
        self.most = f"{MOST_SEARCHED:,}"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the newest rows of the list whose payloads contain the text. It is the last filter of a list."""
        if not self.text:
            return queryset
        wanted = self.text.casefold()
        newest = queryset.select_related(None).order_by(f"-{self.time_column}", "-pk")
        rows = newest.values_list("pk", *self.columns)[:MOST_SEARCHED]
        found = [
            pk
            for pk, *payloads in rows.iterator(chunk_size=AT_ONCE)
            if any(wanted in shown_text(payload).casefold() for payload in payloads)
        ]
        return queryset.filter(pk__in=found)


def payload_filter(time_column: str, *columns: str) -> type[PayloadFilter]:
    """Return the filter by a text in these columns of the rows that are newest by that time."""
    return type("PayloadFilter", (PayloadFilter,), {"time_column": time_column, "columns": columns})
