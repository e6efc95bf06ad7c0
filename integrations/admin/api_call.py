"""API calls in the admin: requests to Lever and CodeScreen, and how they were answered."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import indented, link
from integrations.admin.filters import OrganizationFilter
from integrations.admin.incident_filter import incident_filter
from integrations.admin.names import CandidateMixin
from integrations.admin.payload_search import payload_filter
from integrations.admin.period import period_of
from integrations.models import ApiCall, Delivery
from integrations.models.api_call import NOT_ANSWERED_WELL


class PlatformFilter(admin.SimpleListFilter):
    """Filter calls by platform."""

    title = "platform"
    parameter_name = "platform"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return both platforms, without querying the calls."""
        return [(value, label) for value, label in Delivery.Platform.choices()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiCall]) -> QuerySet[ApiCall]:
        """Keep the calls to that platform."""
        return queryset.filter(platform=self.value()) if self.value() else queryset


class AnswerFilter(admin.SimpleListFilter):
    """Filter calls by the answer."""

    title = "answer"
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the kinds of answers."""
        return [
            ("good", "Good (2xx)"),
            ("bad", "Not good"),
            ("refused", "Refused (4xx)"),
            ("many", "Too many (429)"),
            ("broken", "Broken (5xx)"),
            ("none", "No answer"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiCall]) -> QuerySet[ApiCall]:
        """Keep the calls with that kind of answer."""
        match self.value():
            case "good":
                return queryset.filter(status__range=(200, 299))
            case "bad":
                return queryset.filter(NOT_ANSWERED_WELL)
            case "refused":
                return queryset.filter(status__range=(400, 499))
            case "many":
                return queryset.filter(status=429)
            case "broken":
                return queryset.filter(status__range=(500, 599))
            case "none":
                return queryset.filter(status__isnull=True)
        return queryset


@admin.register(ApiCall)
class ApiCallAdmin(CandidateMixin, ScopedAdmin):
    """Requests to the platforms."""

    list_display = (
        "at",
        "platform",
        "method",
        "path",
        "answer",
        "took",
        "attempt",
        "candidate",
        "correlation_id",
        "organization",
    )
    list_display_links = ("at", "path")
    list_filter = (
        period_of("at"),
        AnswerFilter,
        PlatformFilter,
        incident_filter("at"),
        OrganizationFilter,
        payload_filter("at", "request_body", "response_body"),
    )
    list_select_related = ("organization",)
    list_defer = ("request_body", "response_body", "error")
    search_fields = ("opportunity_id__exact", "correlation_id__exact", "id__exact")
    search_hint = "a candidate's name, an opportunity id, a correlation id, or a call's number"
    ordering = ("-at", "-pk")
    fields = (
        "organization",
        "at",
        "platform",
        "method",
        "path",
        "answer",
        "took",
        "attempt",
        "error",
        "repeats",
        "last_at",
        "candidate",
        "effect_link",
        "delivery_link",
        "correlation_id",
        "request_shown",
        "response_shown",
    )
    readonly_fields = (
        "answer",
        "took",
        "candidate",
        "effect_link",
        "delivery_link",
        "request_shown",
        "response_shown",
    )

    @admin.display(description="answer", ordering="status")
    def answer(self, call: ApiCall) -> str:
        """Return the status, or that there was no answer, and how often the same answer came again."""
        return (
            f"{call.status or 'no answer'} × {call.repeats + 1}"
            if call.repeats
            else str(call.status or "no answer")
        )

    @admin.display(description="took", ordering="duration_ms")
    def took(self, call: ApiCall) -> str:
        """Return how long it took."""
        return f"{call.duration_ms} ms"

    @admin.display(description="effect")
    def effect_link(self, call: ApiCall) -> str | SafeString:
        """Return a link to the effect that it was made for."""
        return link(call.effect)

    @admin.display(description="delivery")
    def delivery_link(self, call: ApiCall) -> str | SafeString:
        """Return a link to the delivery that it was made for."""
        return link(call.delivery)

    @admin.display(description="request")
    def request_shown(self, call: ApiCall) -> str | SafeString:
        """Return the request's body, redacted."""
        return indented(call.request_body)

    @admin.display(description="response")
    def response_shown(self, call: ApiCall) -> str | SafeString:
        """Return the response's body, redacted."""
        return indented(call.response_body)
