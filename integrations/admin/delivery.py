"""Deliveries in the admin and their verdicts; effects, and the calls made for them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.admin.base import CandidateMixin, OrganizationFilter, ScopedAdmin
from integrations.admin.display import (
    CALLS_MADE,
    DELIVERY_LINK,
    INVITATION_LINK,
    MAX_SHOWN,
    NOTHING,
    PAYLOAD_SHOWN,
    WHERE_IT_FAILED,
    answer_badge,
    badge,
    column,
    columns,
    indented,
    link,
    path_text,
    section,
    sentence,
    step_after,
    verdict_badge,
    verdicts_table,
)
from integrations.clients.models import ApiCall
from integrations.core.vocabulary import Tone
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.outbox.kinds.feedback import results_of
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import kind_of


def decision_badge(delivery: Delivery) -> SafeString:
    """Return what was decided about a delivery, or that it can't be decided."""
    return badge("Not decided", Tone.BAD) if delivery.is_stuck else verdict_badge(delivery.verdict)


@admin.register(Delivery)
class DeliveryAdmin(CandidateMixin, ScopedAdmin):
    """Verified webhooks and what sweeps found, with their verdicts."""

    list_display = columns("candidate event_shown decision why received_at organization")
    list_display_links = ("event_shown",)
    list_filter = ("received_at", "verdict", "platform", OrganizationFilter)
    lookups = ("event",)
    list_select_related = ("organization", "invitation")
    list_defer = ("payload", "traceback", "assessment_written")
    search_fields = ("opportunity_id__exact", "id__exact")
    search_hint = "an opportunity id, or a delivery's number"
    ordering = ("-received_at", "-pk")
    fieldsets = (
        section("What came", "organization platform event candidate received_at repeats"),
        section(
            "What was decided",
            "decision explanation next_step decided_at chosen_at chosen_assessment caused history",
        ),
        section("How it went", "attempts due_at last_error where_it_failed calls_made"),
        section("As it came", "dedupe_key payload_shown"),
    )

    event_shown = column("what came", lambda delivery: delivery.what, "event")
    decision = column("verdict", decision_badge, "verdict")
    why = column("explanation", lambda delivery: sentence(delivery.explanation), "explanation")
    next_step = column("what a person can do", step_after)
    caused = INVITATION_LINK
    history = column(
        "all verdicts",
        lambda delivery: verdicts_table(delivery.verdicts.order_by("-decided_at", "-pk")[:MAX_SHOWN]),
    )
    where_it_failed, calls_made, payload_shown = WHERE_IT_FAILED, CALLS_MADE, PAYLOAD_SHOWN


@admin.register(Verdict)
class VerdictAdmin(CandidateMixin, ScopedAdmin):
    """The current and the earlier verdicts, newest first."""

    opportunity_path = "delivery__opportunity_id"
    list_display = columns("candidate decision why is_current cause decided_at organization")
    list_display_links = ("decision",)
    list_filter = ("decided_at", "code", "cause", "is_current", OrganizationFilter)
    list_defer = ("assessment_written",)
    search_fields = ("id__exact", "delivery__id__exact", "delivery__opportunity_id__exact")
    search_hint = "an opportunity id, or a delivery's or verdict's number"
    ordering = ("-decided_at", "-pk")
    fields = columns(
        "organization delivery_link candidate decision explanation assessment_source assessment_written "
        "invitation_link cause decided_at is_current position previous_hash hash"
    )

    decision = column("verdict", lambda verdict: verdict_badge(verdict.code), "code")
    why = column("explanation", lambda verdict: sentence(verdict.explanation), "explanation")
    delivery_link, invitation_link = DELIVERY_LINK, INVITATION_LINK


def state_badge(effect: Effect) -> SafeString:
    """Return how far an effect is; the style sheet has a colour for each state."""
    state = effect.shown_state
    return badge("Being done" if state == "leased" else effect.get_state_display(), state)


@admin.register(Effect)
class EffectAdmin(CandidateMixin, ScopedAdmin):
    """The outbox: intended acts on the platforms, and e-mails."""

    list_display = columns("candidate kind standing reason created_at organization")
    list_display_links = ("kind",)
    list_filter = ("created_at", "state", "kind", OrganizationFilter)
    list_select_related = ("organization", "invitation")
    list_defer = ("traceback",)
    search_fields = ("opportunity_id__exact", "id__exact")
    search_hint = "an opportunity id, or an effect's number"
    ordering = ("-created_at", "-pk")
    fieldsets = (
        section("What is to be done", "organization kind candidate words invitation_link delivery_link"),
        section(
            "How it goes",
            "standing attempts created_at attempt_started_at done_at due_at reason where_it_failed "
            "calls_made",
        ),
        section("In detail", "key priority payload_shown"),
    )

    @admin.display(description="what is written")
    def words(self, effect: Effect) -> str | SafeString:
        """Return what it writes, word for word."""
        words: dict[str, Any] = kind_of(effect).words(effect, results_of([effect]).get(effect.pk)).named
        if not words:
            return NOTHING
        row = '<tr><th scope="row">{}</th><td class="written">{}</td></tr>'
        return format_html("<table><tbody>{}</tbody></table>", format_html_join("", row, words.items()))

    standing = column("state", state_badge, "state")
    reason = column("why", lambda effect: effect.reason or NOTHING)
    delivery_link, invitation_link = DELIVERY_LINK, INVITATION_LINK
    where_it_failed, calls_made, payload_shown = WHERE_IT_FAILED, CALLS_MADE, PAYLOAD_SHOWN


class AnswerFilter(admin.SimpleListFilter):
    """Keep the calls that the platform didn't answer, or answered with an error of its own."""

    NONE = "none"
    title = "answer"
    parameter_name = "answered"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(self.NONE, "None, or an error of the platform")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the calls that match."""
        return queryset.unanswered() if self.value() == self.NONE else queryset


@admin.register(ApiCall)
class ApiCallAdmin(CandidateMixin, ScopedAdmin):
    """Requests to the platforms."""

    list_display = columns("candidate platform method called answer duration_ms attempt at organization")
    list_display_links = ("called",)
    list_filter = ("at", AnswerFilter, OrganizationFilter)
    lookups = ("platform", "status")
    list_defer = ("request_body", "response_body")
    search_fields = ("opportunity_id__exact", "correlation_id__exact", "id__exact")
    search_hint = "an opportunity id, a correlation id, or a call's number"
    ordering = ("-at", "-pk")
    fields = columns(
        "organization at platform method path answer duration_ms attempt error repeats last_at candidate "
        "effect_link delivery_link correlation_id request_shown response_shown"
    )

    called = column("path", path_text, "path")
    answer = column("answer", answer_badge, "status")
    effect_link = column("effect", lambda call: link(call.effect))
    delivery_link = DELIVERY_LINK
    request_shown = column("request", lambda call: indented(call.request_body))
    response_shown = column("response", lambda call: indented(call.response_body))
