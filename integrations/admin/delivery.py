"""Deliveries in the admin, their verdicts and the requests that were rejected; effects, and the calls made for them."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import (
    CALLS_MADE,
    DELIVERY_LINK,
    INVITATION_LINK,
    MAX_SHOWN,
    MOST_RELATED,
    NOTHING,
    PAYLOAD_SHOWN,
    WHERE_IT_FAILED,
    CandidateMixin,
    RelatedSearchMixin,
    answer_badge,
    badge,
    column,
    columns,
    indented,
    link,
    links,
    section,
    sentence,
    step_after,
    verdict_badge,
    verdicts_table,
)
from integrations.admin.filters import (
    OrganizationFilter,
    choice_filter,
    period_of,
)
from integrations.clients.models import NOT_ANSWERED_WELL, ApiCall
from integrations.core.verdict_code import INVITING_VERDICTS, NO_TEST, WAITING_VERDICTS
from integrations.core.vocabulary import DeliveryEvent, Platform, Tone
from integrations.effects.kind import Target
from integrations.effects.kinds.feedback import results_of
from integrations.effects.perform import kind_of, kinds_acting_on
from integrations.health.models import WebhookRejection
from integrations.health.webhook_rejections import describe
from integrations.inbox.models.delivery import STUCK, WAITING, Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.names import CandidateKey
from integrations.outbox.models import Effect

ProgressFilter = choice_filter(
    "progress",
    "progress",
    {
        "open": ("Not decided yet", Q(verdict="", due_at__isnull=False)),
        "waiting": ("Waiting for the connection", WAITING),
        "stuck": ("Stuck", STUCK),
    },
)


OutcomeFilter = choice_filter(
    "outcome",
    "outcome",
    {
        "no_test": ("Not invited", Q(verdict__in=NO_TEST)),
        "invited": ("Invited or held", Q(verdict__in=INVITING_VERDICTS)),
    },
)


FoundByFilter = choice_filter(
    "how it was found",
    "found_by",
    {
        "sweep": ("By comparing with Lever", Q(event=DeliveryEvent.SWEEP)),
        "repair": (
            "By comparing with Lever, and invited",
            Q(event=DeliveryEvent.SWEEP, invitation__isnull=False),
        ),
        "webhook": ("By a webhook", ~Q(event=DeliveryEvent.SWEEP)),
    },
)


WHY = column("explanation", lambda row: sentence(row.explanation), "explanation")


@admin.register(Delivery)
class DeliveryAdmin(CandidateMixin, ScopedAdmin):
    """Verified webhooks and what sweeps found, with their verdicts."""

    list_display = columns("candidate event_shown decision why received_at organization")
    list_display_links = ("event_shown",)
    list_filter = (
        period_of("received_at"),
        OutcomeFilter,
        "verdict",
        FoundByFilter,
        ProgressFilter,
        "platform",
        OrganizationFilter,
    )
    list_select_related = ("organization", "invitation")
    list_defer = ("payload", "traceback", "assessment_written")
    search_fields = ("opportunity_id__exact", "id__exact")
    search_hint = "a candidate's name, an opportunity id, or a delivery's number"
    ordering = ("-received_at", "-pk")
    fieldsets = (
        section("What came", "organization platform event candidate received_at repeats"),
        section(
            "What was decided",
            "decision explanation next_step decided_at chosen_at chosen_assessment caused effects_caused "
            "history",
        ),
        section("How it went", "progress attempts due_at last_error where_it_failed calls_made"),
        section("As it came", "dedupe_key payload_shown"),
    )

    why = WHY

    def what_is(self, row: Delivery) -> str:
        return row.what

    @admin.display(description="progress")
    def progress(self, delivery: Delivery) -> str:
        """Return whether it is decided, due, waiting or stuck."""
        if delivery.is_stuck:
            return f"Could not be decided in {delivery.attempts} attempts"
        if delivery.verdict:
            return "Waits for the connection" if delivery.verdict in WAITING_VERDICTS else "Decided"
        if delivery.leased_until and delivery.leased_until > timezone.now():
            return "Being decided"
        return f"Due, attempt {delivery.attempts + 1}"

    event_shown = column("what came", lambda delivery: delivery.what, "event")
    decision = column(
        "verdict",
        lambda delivery: (
            badge("Not decided", Tone.BAD) if delivery.is_stuck else verdict_badge(delivery.verdict)
        ),
        "verdict",
    )

    where_it_failed, calls_made, payload_shown = WHERE_IT_FAILED, CALLS_MADE, PAYLOAD_SHOWN
    caused = INVITATION_LINK
    effects_caused = column("effects", lambda delivery: links(delivery.effects.order_by("pk")[:MAX_SHOWN]))

    history = column(
        "all verdicts",
        lambda delivery: verdicts_table(delivery.verdicts.order_by("-decided_at", "-pk")[:MAX_SHOWN]),
    )
    next_step = column("what a person can do", step_after)


@admin.register(Verdict)
class VerdictAdmin(CandidateMixin, RelatedSearchMixin, ScopedAdmin):
    """The current and the earlier verdicts, newest first."""

    list_display = columns("candidate decision why is_current cause decided_at organization")
    list_display_links = ("decision",)
    list_filter = (
        period_of("decided_at"),
        "code",
        "cause",
        "is_current",
        OrganizationFilter,
    )
    list_select_related = ("organization", "delivery")
    list_defer = columns("assessment_written delivery__payload delivery__explanation delivery__traceback")
    search_fields = ("id__exact", "delivery__id__exact")
    searched_relation, related_columns = "delivery", ("opportunity_id",)
    search_hint = "a candidate's name, an opportunity id, or a delivery's or verdict's number"
    ordering = ("-decided_at", "-pk")
    fields = columns(
        "organization delivery_link candidate decision explanation assessment_source assessment_written "
        "invitation_link cause decided_at is_current position previous_hash hash"
    )

    delivery_link, invitation_link, why = DELIVERY_LINK, INVITATION_LINK, WHY
    decision = column("verdict", lambda verdict: verdict_badge(verdict.code), "code")

    def candidate_key(self, row: Verdict) -> CandidateKey:
        return row.organization_id, row.delivery.opportunity_id

    def rows_of_candidates(
        self, queryset: QuerySet[Verdict], opportunity_ids: list[str]
    ) -> QuerySet[Verdict]:
        """Return the verdicts about these candidates' deliveries, which are found first."""
        deliveries = Delivery.objects.filter(opportunity_id__in=opportunity_ids).order_by()
        return queryset.filter(delivery__in=list(deliveries.values_list("pk", flat=True)[:MOST_RELATED]))


@admin.register(WebhookRejection)
class WebhookRejectionAdmin(ScopedAdmin):
    """How often requests were rejected and when last, by reason."""

    list_display = ("sender", "why", "code", "count", "last_at", "organization")
    list_filter = (period_of("last_at"), "platform", OrganizationFilter)
    ordering = ("-last_at", "-pk")
    fields = ("organization", "sender", "why", "code", "hint", "count", "last_at")

    # the platform that the requests seem to come from
    sender = column(
        "sender",
        lambda rejection: dict(Platform.choices()).get(rejection.platform, rejection.platform),
        "platform",
    )

    @admin.display(description="why")
    def why(self, rejection: WebhookRejection) -> str:
        sentence = describe(rejection.code, rejection.hint)
        return sentence[:1].upper() + sentence[1:]


LONGEST_LINE = 160


TargetFilter = choice_filter(
    "where it acts",
    "on",
    {value: (label, Q(kind__in=kinds_acting_on(value))) for value, label in Target.choices},
)


def state_badge(effect: Effect) -> SafeString:
    """Return how far an effect is; the style sheet has a colour for each state."""
    state = effect.shown_state
    return badge("Being done" if state == "leased" else effect.get_state_display(), state)


@admin.register(Effect)
class EffectAdmin(CandidateMixin, ScopedAdmin):
    """The outbox: intended acts on the platforms, and e-mails."""

    list_title = "What was sent and written"
    list_display = columns("candidate kind what standing created_at organization")
    list_display_links = ("kind",)
    list_filter = (
        period_of("created_at"),
        TargetFilter,
        "state",
        "kind",
        OrganizationFilter,
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
            "standing attempts created_at attempt_started_at done_at due_at reason where_it_failed "
            "calls_made",
        ),
        section("In detail", "key priority payload_shown"),
    )

    def what_is(self, row: Effect) -> str:
        return row.get_kind_display()

    def complete(self, rows: Sequence[Any]) -> None:
        """Add the candidates' names, and what is written, or why it isn't."""
        super().complete(rows)
        results = results_of(rows)
        for row in rows:
            words = kind_of(row).words(row, results.get(row.pk)).named
            line = " · ".join(words.values() if len(words) == 1 else map(": ".join, words.items()))
            row.written_shown = Truncator(row.reason or line).chars(LONGEST_LINE)

    what = column("what", lambda effect: getattr(effect, "written_shown", "") or NOTHING)

    @admin.display(description="what is written")
    def written(self, effect: Effect) -> str | SafeString:
        """Return what it writes, word for word."""
        words = kind_of(effect).words(effect, results_of([effect]).get(effect.pk)).named
        if not words:
            return NOTHING
        row = '<tr><th scope="row">{}</th><td class="written">{}</td></tr>'
        return format_html("<table><tbody>{}</tbody></table>", format_html_join("", row, words.items()))

    delivery_link, invitation_link = DELIVERY_LINK, INVITATION_LINK
    where_it_failed, calls_made, payload_shown = WHERE_IT_FAILED, CALLS_MADE, PAYLOAD_SHOWN
    standing = column("state", state_badge, "state")
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

    list_display = columns("candidate platform method path answer took attempt at organization")
    list_display_links = ("path",)
    list_filter = (
        period_of("at"),
        AnswerFilter,
        PlatformFilter,
        OrganizationFilter,
    )
    list_defer = ("request_body", "response_body", "error")
    search_fields = ("opportunity_id__exact", "correlation_id__exact", "id__exact")
    search_hint = "a candidate's name, an opportunity id, a correlation id, or a call's number"
    ordering = ("-at", "-pk")
    fields = columns(
        "organization at platform method path answer took attempt error repeats last_at candidate "
        "effect_link delivery_link correlation_id request_shown response_shown"
    )

    answer = column("answer", answer_badge, "status")
    took = column("took", lambda call: f"{call.duration_ms} ms", "duration_ms")
    effect_link = column("effect", lambda call: link(call.effect))
    delivery_link = DELIVERY_LINK
    request_shown = column("request", lambda call: indented(call.request_body))
    response_shown = column("response", lambda call: indented(call.response_body))
