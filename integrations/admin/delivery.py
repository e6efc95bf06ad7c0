"""Deliveries in the admin: what arrived, what was decided and why, and what it caused."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.confirmation import AdminAction, run_action
from integrations.admin.delivery_filters import FoundByFilter, OutcomeFilter, ProgressFilter
from integrations.admin.display import calls_table, indented, invitation_link, links, verdicts_table
from integrations.admin.filters import OrganizationFilter
from integrations.admin.incident_filter import incident_filter
from integrations.admin.names import CandidateMixin
from integrations.admin.payload_search import payload_filter
from integrations.admin.period import period_of
from integrations.models import Actor, Delivery
from integrations.models.verdict import next_step
from integrations.queue import on_request
from integrations.workflow.operations.replay import require_decidable

MAX_SHOWN = 50


def _preview(delivery: Delivery) -> str:
    require_decidable(delivery)
    decision = on_request.preview(delivery)
    return f"{decision.verdict.label}: {decision.explanation}"


def _replay(delivery: Delivery, actor: Actor, reason: str) -> str:
    decision = on_request.replay(delivery, actor)
    return f"{decision.verdict.label}: {decision.explanation}"


REPLAY = AdminAction("replay", "Decide again?", "Decide again", "may_configure", _preview, _replay)


@admin.register(Delivery)
class DeliveryAdmin(CandidateMixin, ScopedAdmin):
    """Verified webhooks and what sweeps found, with their verdicts."""

    list_display = (
        "received_at",
        "candidate",
        "verdict",
        "explanation",
        "caused",
        "event",
        "progress",
        "organization",
    )
    list_display_links = ("received_at", "event")
    list_filter = (
        period_of("received_at"),
        OutcomeFilter,
        "verdict",
        FoundByFilter,
        ProgressFilter,
        "platform",
        incident_filter("received_at"),
        OrganizationFilter,
        payload_filter("received_at", "payload"),
    )
    list_select_related = ("organization", "invitation")
    list_defer = ("payload", "traceback", "assessment_written", "facts")
    search_fields = ("opportunity_id__exact", "id__exact")
    search_hint = "a candidate's name, an opportunity id, or a delivery's number"
    ordering = ("-received_at", "-pk")
    actions = ("replay",)
    fieldsets = (
        (
            "What came",
            {"fields": ("organization", "platform", "event", "candidate", "received_at", "repeats")},
        ),
        (
            "What was decided",
            {
                "fields": (
                    "verdict",
                    "explanation",
                    "next_step",
                    "decided_at",
                    "chosen_at",
                    "chosen_assessment",
                    "caused",
                    "effects_caused",
                    "history",
                )
            },
        ),
        (
            "How it went",
            {"fields": ("progress", "attempts", "due_at", "last_error", "where_it_failed", "calls_made")},
        ),
        ("As it came", {"fields": ("dedupe_key", "payload_shown")}),
    )
    readonly_fields = (
        "candidate",
        "next_step",
        "caused",
        "effects_caused",
        "history",
        "progress",
        "where_it_failed",
        "calls_made",
        "payload_shown",
    )

    @admin.display(description="progress")
    def progress(self, delivery: Delivery) -> str:
        """Return whether it is decided, due, waiting or stuck."""
        if delivery.is_stuck:
            return f"stuck after {delivery.attempts} attempts"
        if delivery.verdict:
            return "waits for the connection" if delivery.is_waiting else "decided"
        if delivery.leased_until and delivery.leased_until > timezone.now():
            return "being decided"
        return f"due, attempt {delivery.attempts + 1}"

    @admin.display(description="invitation")
    def caused(self, delivery: Delivery) -> str | SafeString:
        """Return a link to the invitation it led to."""
        return invitation_link(delivery.invitation)

    @admin.display(description="effects")
    def effects_caused(self, delivery: Delivery) -> str | SafeString:
        """Return links to the effects it led to."""
        return links(delivery.effects.order_by("pk")[:MAX_SHOWN])

    @admin.display(description="all verdicts")
    def history(self, delivery: Delivery) -> str | SafeString:
        """Return every verdict about it, newest first."""
        verdicts = delivery.verdicts.order_by("-decided_at", "-pk")[:MAX_SHOWN]
        return verdicts_table(verdicts)

    @admin.display(description="what a person can do")
    def next_step(self, delivery: Delivery) -> str:
        """Return what a person can do about the verdict."""
        return next_step(delivery.verdict, delivery.invitation) or self.get_empty_value_display()

    @admin.display(description="where it failed")
    def where_it_failed(self, delivery: Delivery) -> str | SafeString:
        """Return the traceback of the last error."""
        return indented(delivery.traceback)

    @admin.display(description="calls")
    def calls_made(self, delivery: Delivery) -> str | SafeString:
        """Return the latest calls that were made to decide it."""
        return calls_table(delivery.calls.order_by("-at", "-pk")[:MAX_SHOWN])

    @admin.display(description="payload")
    def payload_shown(self, delivery: Delivery) -> str | SafeString:
        """Return what arrived, redacted."""
        return indented(delivery.payload)

    @admin.action(
        permissions=["configure"],
        description="Replay: decide again",
        location=[admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM],
    )
    def replay(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> TemplateResponse | None:
        """Preview the verdict that each would get now, then decide again."""
        return run_action(self, request, queryset.select_related("organization"), REPLAY)
