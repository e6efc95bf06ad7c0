"""Incidents by name, the time that they cover, and the filter that keeps the rows of that time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from integrations.admin.filters import key_of
from integrations.admin.scope import visible
from integrations.models import Incident

#: An incident is noticed a little after it began: what happened so long before it belongs to it.
NOTICED_WITHIN = timedelta(minutes=10)
#: So many incidents are offered as filters; each incident's page links to the rest.
OFFERED = 8


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
        latest = visible(Incident, request).order_by("-began_at")[:OFFERED]
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
