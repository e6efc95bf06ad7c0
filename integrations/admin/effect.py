"""Effects in the admin and the calls that were made for them: what was to be done, and how the platforms answered."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import (
    NOTHING,
    CandidateMixin,
    column,
    columns,
    indented,
    link,
    section,
)
from integrations.admin.filters import (
    OrganizationFilter,
    choice_filter,
    incident_filter,
    payload_filter,
    period_of,
)
from integrations.clients.models import NOT_ANSWERED_WELL, ApiCall
from integrations.effects.kind import Target
from integrations.effects.kinds.feedback import results_of
from integrations.effects.perform import kind_of, kinds_acting_on
from integrations.inbox.models.delivery import Delivery
from integrations.outbox.models import Effect

LONGEST_LINE = 160


TargetFilter = choice_filter(
    "where it acts",
    "on",
    {value: (label, Q(kind__in=kinds_acting_on(value))) for value, label in Target.choices},
)


@admin.register(Effect)
class EffectAdmin(CandidateMixin, ScopedAdmin):
    """The outbox: intended acts on the platforms, and e-mails."""

    list_display = columns(
        "created_at kind candidate what shown_state attempts due_at invitation_link reason organization"
    )
    list_display_links = ("created_at", "kind")
    list_filter = (
        period_of("created_at"),
        TargetFilter,
        "state",
        "kind",
        incident_filter("created_at"),
        OrganizationFilter,
        payload_filter("created_at", "payload"),
    )
    list_select_related = ("organization", "invitation")
    list_defer = ("traceback",)
    search_fields = ("opportunity_id__exact", "id__exact")
    search_hint = "a candidate's name, an opportunity id, or an effect's number"
    ordering = ("-created_at", "-pk")
    fieldsets = (
        section("What is to be done", "organization kind candidate written invitation_link delivery_link"),
        section(
            "How it goes",
            "shown_state attempts created_at attempt_started_at done_at due_at reason where_it_failed "
            "calls_made",
        ),
        section("In detail", "key priority payload_shown"),
    )

    def complete(self, rows: Sequence[Any]) -> None:
        """Add the candidates' names, and what is written."""
        super().complete(rows)
        results = results_of(rows)
        for row in rows:
            words = kind_of(row).words(row, results.get(row.pk)).named
            line = " · ".join(words.values() if len(words) == 1 else map(": ".join, words.items()))
            row.written_shown = Truncator(line).chars(LONGEST_LINE)

    what = column("what", lambda effect: getattr(effect, "written_shown", "") or NOTHING)

    @admin.display(description="what is written")
    def written(self, effect: Effect) -> str | SafeString:
        """Return what it writes, word for word."""
        words = kind_of(effect).words(effect, results_of([effect]).get(effect.pk)).named
        if not words:
            return NOTHING
        row = '<tr><th scope="row">{}</th><td class="written">{}</td></tr>'
        return format_html("<table><tbody>{}</tbody></table>", format_html_join("", row, words.items()))

    shown_state = column("state", lambda effect: effect.shown_state, "state")
    reason = column("why", lambda effect: effect.reason or NOTHING)


PlatformFilter = choice_filter(
    "platform",
    "platform",
    {value: (label, Q(platform=value)) for value, label in Delivery.Platform.choices()},
)


AnswerFilter = choice_filter(
    "answer",
    "answer",
    {
        "good": ("Good (2xx)", Q(status__range=(200, 299))),
        "bad": ("Not good", NOT_ANSWERED_WELL),
        "refused": ("Refused (4xx)", Q(status__range=(400, 499))),
        "many": ("Too many (429)", Q(status=429)),
        "broken": ("Broken (5xx)", Q(status__range=(500, 599))),
        "none": ("No answer", Q(status__isnull=True)),
    },
)


@admin.register(ApiCall)
class ApiCallAdmin(CandidateMixin, ScopedAdmin):
    """Requests to the platforms."""

    list_display = columns(
        "at platform method path answer took attempt candidate correlation_id organization"
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
    list_defer = ("request_body", "response_body", "error")
    search_fields = ("opportunity_id__exact", "correlation_id__exact", "id__exact")
    search_hint = "a candidate's name, an opportunity id, a correlation id, or a call's number"
    ordering = ("-at", "-pk")
    fields = columns(
        "organization at platform method path answer took attempt error repeats last_at candidate "
        "effect_link delivery_link correlation_id request_shown response_shown"
    )

    @admin.display(description="answer", ordering="status")
    def answer(self, call: ApiCall) -> str:
        """Return the status, or that there was no answer, and how often the same answer came again."""
        return (
            f"{call.status or 'no answer'} × {call.repeats + 1}"
            if call.repeats
            else str(call.status or "no answer")
        )

    took = column("took", lambda call: f"{call.duration_ms} ms", "duration_ms")
    effect_link = column("effect", lambda call: link(call.effect))
    request_shown = column("request", lambda call: indented(call.request_body))
    response_shown = column("response", lambda call: indented(call.response_body))
