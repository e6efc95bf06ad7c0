"""Incidents in the admin: what was broken or waited for a person, whom it touched, and when members were notified."""

from datetime import datetime, timedelta

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import NOTHING, link, time_text
from integrations.admin.filters import OrganizationFilter
from integrations.admin.names import candidate_link, names_of
from integrations.admin.period import period_of
from integrations.admin.touched import MOST, touches, unanswered
from integrations.models import Incident
from integrations.models.incident import NAMES
from integrations.vocabulary import Platform

#: So many candidates are shown.
SHOWN = 200


class WhatFilter(admin.SimpleListFilter):
    """Filter incidents by what was wrong."""

    title = "what was wrong"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return everything that can be an incident."""
        return list(NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Incident]) -> QuerySet[Incident]:
        """Keep the incidents of that kind."""
        return queryset.filter(code=self.value()) if self.value() else queryset


class OngoingFilter(admin.SimpleListFilter):
    """Filter incidents by whether they are over."""

    title = "whether it is over"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return both choices."""
        return [("ongoing", "Ongoing"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Incident]) -> QuerySet[Incident]:
        """Keep the incidents that are, or aren't, over."""
        return queryset.filter(ended_at__isnull=self.value() == "ongoing") if self.value() else queryset


@admin.register(Incident)
class IncidentAdmin(ScopedAdmin):
    """Each ongoing or past failure, with the candidates that it touched."""

    list_display = ("began_at", "what", "ended_at", "lasted", "notified_at", "organization")
    list_display_links = ("began_at", "what")
    list_filter = (period_of("began_at"), WhatFilter, OngoingFilter, OrganizationFilter)
    list_select_related = ("organization",)
    ordering = ("-began_at", "-pk")
    fieldsets = (
        ("What was wrong", {"fields": ("what", "organization", "calls_unanswered")}),
        ("When", {"fields": ("began_at", "ended_at", "lasted", "notified_at")}),
        ("Whom it touched", {"fields": ("candidates", "records")}),
    )
    readonly_fields = ("what", "lasted", "calls_unanswered", "candidates", "records")

    @admin.display(description="what was wrong", ordering="code")
    def what(self, incident: Incident) -> str:
        """Return what was wrong."""
        return incident.name

    @admin.display(description="lasted")
    def lasted(self, incident: Incident) -> str:
        """Return how long it lasted."""
        end: datetime = incident.ended_at or timezone.now()
        seconds = timedelta(seconds=round((end - incident.began_at).total_seconds()))
        return str(seconds) if incident.ended_at else f"{seconds}, ongoing"

    @admin.display(description="calls not answered")
    def calls_unanswered(self, incident: Incident) -> str:
        """Return how many calls to each platform were not answered meanwhile, of very many the latest."""
        labels = dict(Platform.choices())
        counts = unanswered(incident)
        text = " · ".join(f"{labels.get(name, name)}: {count}" for name, count in counts.items())
        return f"{text}, of the latest {MOST}" if sum(counts.values()) == MOST else text or "None."

    @admin.display(description="candidates")
    def candidates(self, incident: Incident) -> str | SafeString:
        """Return the candidates that it touched as a table: who, when, how, and the row that shows it."""
        found = touches(incident)
        organization = incident.organization_id
        names = names_of((organization, touch.opportunity_id) for touch in found)
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    candidate_link(
                        organization,
                        touch.opportunity_id,
                        names.get((organization, touch.opportunity_id), ""),
                    ),
                    time_text(touch.at),
                    touch.what,
                    link(touch.row),
                )
                for touch in found[:SHOWN]
            ),
        )
        if not rows:
            return "No candidate was touched."
        people = len({touch.opportunity_id for touch in found})
        cut = format_html("<p>The first {} are shown.</p>", SHOWN) if len(found) > SHOWN else ""
        return format_html(
            "<p>{} candidate{}</p><table><thead><tr><th>Candidate</th><th>When</th><th>What happened</th>"
            "<th>Record</th></tr></thead><tbody>{}</tbody></table>{}",
            people,
            "" if people == 1 else "s",
            rows,
            cut,
        )

    @admin.display(description="everything of that time")
    def records(self, incident: Incident) -> str | SafeString:
        """Return links to the lists of what happened during the incident."""
        lists = {"delivery": "Deliveries", "effect": "Effects", "apicall": "API calls", "verdict": "Verdicts"}
        query = urlencode({"incident": incident.pk})
        addresses = (
            (f"{reverse(f'admin:integrations_{name}_changelist')}?{query}", text)
            for name, text in lists.items()
        )
        return format_html_join(" · ", '<a href="{}">{}</a>', addresses) or NOTHING
