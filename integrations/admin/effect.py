"""Effects in the admin: what is to be done outside, how often it was tried, and when next."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from integrations.admin import confirmation
from integrations.admin.base import OrganizationFilter, ScopedAdmin
from integrations.admin.display import calls_table, candidate_link, indented, link
from integrations.models import Effect
from integrations.workflow.operations.effects import retry_effect
from integrations.workflow.operations.errors import ActionNotAllowed

MOST_SHOWN = 50


def _foretell(effect: Effect) -> str:
    if effect.state not in {Effect.State.FAILED, Effect.State.DUE}:
        raise ActionNotAllowed(f"It is {effect.get_state_display().lower()}: there is nothing to try again.")
    reason = f" Last time: {effect.last_error}" if effect.last_error else ""
    return f"It is tried again at once, after {effect.attempts} attempt(s).{reason}"


def _retry(effect: Effect, actor: Any, reason: str) -> str:
    retry_effect(effect, actor)
    return "is tried again."


RETRY = confirmation.Act("retry", "Try again?", "Try again", "may_retry", _foretell, _retry)


@admin.register(Effect)
class EffectAdmin(ScopedAdmin):
    """The outbox."""

    list_display = (
        "created_at",
        "kind",
        "candidate",
        "shown_state",
        "attempts",
        "due_at",
        "invitation",
        "last_error",
        "organization",
    )
    list_display_links = ("created_at", "kind")
    list_filter = ("created_at", "state", "kind", OrganizationFilter)
    list_select_related = ("organization", "invitation")
    search_fields = ("opportunity_id__exact", "id__exact")
    search_hint = "an opportunity id, or an effect's number"
    ordering = ("-created_at", "-pk")
    actions = ("retry",)
    fieldsets = (
        (
            "What is to be done",
            {"fields": ("organization", "kind", "candidate", "invitation_link", "delivery_link")},
        ),
        (
            "How it goes",
            {
                "fields": (
                    "shown_state",
                    "attempts",
                    "created_at",
                    "attempt_started_at",
                    "done_at",
                    "due_at",
                    "last_error",
                    "where_it_failed",
                    "calls_made",
                )
            },
        ),
        ("In detail", {"fields": ("key", "priority", "payload_shown")}),
    )
    readonly_fields = (
        "candidate",
        "invitation_link",
        "delivery_link",
        "shown_state",
        "where_it_failed",
        "calls_made",
        "payload_shown",
    )

    @admin.display(description="candidate", ordering="opportunity_id")
    def candidate(self, effect: Effect) -> str | SafeString:
        """Link to the candidate's timeline."""
        return candidate_link(effect.opportunity_id)

    @admin.display(description="state", ordering="state")
    def shown_state(self, effect: Effect) -> str:
        """Say how far it is; `leased` while a worker holds it."""
        return effect.shown_state

    @admin.display(description="invitation")
    def invitation_link(self, effect: Effect) -> str | SafeString:
        """Link to the invitation."""
        return link(effect.invitation)

    @admin.display(description="delivery")
    def delivery_link(self, effect: Effect) -> str | SafeString:
        """Link to the delivery that led to it."""
        return link(effect.delivery)

    @admin.display(description="where it failed")
    def where_it_failed(self, effect: Effect) -> str | SafeString:
        """Show the last error's place in the code."""
        return indented(effect.traceback)

    @admin.display(description="calls")
    def calls_made(self, effect: Effect) -> str | SafeString:
        """List the calls it took."""
        return calls_table(effect.calls.order_by("-at", "-pk")[:MOST_SHOWN])

    @admin.display(description="payload")
    def payload_shown(self, effect: Effect) -> str | SafeString:
        """Show what it carries, redacted."""
        return indented(effect.payload)

    @admin.action(
        permissions=["retry"],
        description="Retry now",
        location=[admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM],
    )
    def retry(self, request: HttpRequest, queryset: QuerySet[Effect]) -> TemplateResponse | None:
        """Show what would be tried, then try."""
        return confirmation.run(self, request, queryset.select_related("organization", "invitation"), RETRY)
