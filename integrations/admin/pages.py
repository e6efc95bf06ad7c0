"""The admin's first page: what people ask of the records, each with the list that answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from integrations.admin import access
from integrations.admin.access import count_text, visible
from integrations.admin.filters import PERIOD, ChoiceFilter, PeriodFilter, bounds_of
from integrations.audit.models.entry import AuditEntry, AuditSubject
from integrations.clients.models import ApiCall, CircuitBreaker
from integrations.core.finding_code import FindingCode
from integrations.core.verdict_code import VerdictCode
from integrations.health.models import Incident, WebhookRejection
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.outbox.models import Effect
from integrations.queue.models.duty_run import DutyRun
from integrations.queue.models.nodes import Heartbeat, PortalDuty


def addresses() -> list[URLPattern]:
    """Return the pages' addresses within the admin."""
    view = admin.site.admin_view
    return [
        path("candidates/<int:organization_id>/<path:opportunity_id>/", view(candidate), name="candidate"),
    ]


@require_safe
def candidate(request: HttpRequest, organization_id: int, opportunity_id: str) -> HttpResponse:
    """Lead to the record of a candidate; where there is none, to their deliveries."""
    access.require_member(request)
    organization = get_object_or_404(access.organizations(request), pk=organization_id)
    if row := Candidate.objects.filter(organization=organization, opportunity_id=opportunity_id).first():
        return redirect("admin:integrations_candidate_change", row.pk)
    deliveries = reverse("admin:integrations_delivery_changelist")
    query = urlencode({"q": opportunity_id, "organization": str(organization.pk)})
    return redirect(f"{deliveries}?{query}")


@dataclass(frozen=True)
class Question:
    """One question, the address of its answer, and how many rows answer it; no count where it says nothing."""

    text: str
    address: str
    count: str = ""
    hint: str = ""

    @property
    def is_answered_by_nothing(self) -> bool:
        """Whether rows were counted and there is none."""
        return self.count == "0"


type Ask = Callable[..., Question]


def question_groups(request: HttpRequest) -> list[tuple[str, list[Question]]]:
    """Return the questions of a person who sees records by their kind, else none.

    Each count is of their organizations' rows.
    """
    if not access.has_right(request, "may_retry_effects"):
        return []
    ask = partial(_question, request)
    return [
        ("Waiting now", _waiting(ask)),
        ("What happened to candidates", _happened(ask)),
        ("Who has access, and what people changed", _changed(ask)),
        ("What works, and what doesn't", _health(ask, request)),
    ]


def list_address(model: type[Model], **filters: str) -> str:
    """Return the address of a list of the admin with these filters."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def _question(
    request: HttpRequest, text: str, model: type[Model], *counted: Q, hint: str = "", **filters: str
) -> Question:
    """Return a question whose answer is the filtered list. `counted` is what is counted instead, where that is less."""
    conditions = counted or [_condition(model, name, value) for name, value in filters.items()]
    return Question(
        text, list_address(model, **filters), count_text(visible(model, request).filter(*conditions)), hint
    )


def _condition(model: type[Model], name: str, value: str) -> Q:
    """Return what a filter of the model's list keeps, for a value in its address; other names are lookups."""
    for item in admin.site.get_model_admin(model).list_filter:
        if isinstance(item, type) and issubclass(item, ChoiceFilter) and item.parameter_name == name:
            return item.kinds[value][1]
        if isinstance(item, type) and issubclass(item, PeriodFilter) and name == PERIOD:
            return _since(item.column, value)
    return Q(**{name: value})


def _since(column: str, period: str) -> Q:
    begin, _ = bounds_of(period)
    return Q(**{f"{column}__gte": begin})


def _waiting(ask: Ask) -> list[Question]:
    status = Invitation.Status
    return [
        ask("Invitations that need approval", Invitation, status__exact=status.HELD.value),
        ask("Invitations that were possibly sent", Invitation, status__exact=status.UNCERTAIN.value),
        ask("Invitations that were not sent", Invitation, status__exact=status.FAILED.value),
        ask(
            "Candidates who may be invited already",
            Delivery,
            verdict__exact=VerdictCode.ENTERED_BEFORE.value,
        ),
        ask("Stage changes that wait for a connection or the end of a pause", Delivery, progress="waiting"),
        ask("Stage changes that could not be decided", Delivery, progress="stuck"),
        ask("What could not be written or sent", Effect, state__exact=Effect.State.FAILED.value),
    ]


def _happened(ask: Ask) -> list[Question]:
    return [
        ask("Who was not invited, and why? Last 7 days", Candidate, invited="no", period="week"),
        ask("Who was invited? Last 7 days", Invitation, period="week"),
        ask(
            "Was anyone invited twice this quarter?",
            Invitation,
            Q(round__gt=1) & _since("created_at", "quarter"),
            hint="second rounds",
            invited="again",
            period="quarter",
        ),
        ask("What was written to Lever? Last 7 days", Effect, on="lever", period="week"),
        ask("Which results came? Last 7 days", Result, period="week"),
        ask(
            "Who was found only by comparing with Lever? This quarter",
            Delivery,
            found_by="repair",
            period="quarter",
        ),
    ]


def _changed(ask: Ask) -> list[Question]:
    weekly = (AuditSubject.MAPPINGS, AuditSubject.POLICIES, AuditSubject.MEMBERS, AuditSubject.DECISIONS)
    quarterly = (AuditSubject.REFUSED, AuditSubject.HANDED_OUT, AuditSubject.ERASED)
    return [
        ask("Who has access?", Membership),
        ask("All changes, last 7 days", AuditEntry, period="week"),
        *(ask(f"{one.label}, last 7 days", AuditEntry, about=one.value, period="week") for one in weekly),
        *(
            ask(f"{one.label}, this quarter", AuditEntry, about=one.value, period="quarter")
            for one in quarterly
        ),
    ]


def _health(ask: Ask, request: HttpRequest) -> list[Question]:
    questions = [
        ask("Problems now", Incident, state="ongoing"),
        ask("Times when Lever or CodeScreen didn't answer", Incident, what=FindingCode.PLATFORM_DOWN.value),
        ask(
            "Times when CodeScreen refused the API key",
            Incident,
            what=FindingCode.CODESCREEN_KEY_REFUSED.value,
        ),
        ask("Platforms that don't answer now", CircuitBreaker, failing="yes"),
        ask("Calls that failed, last 24 hours", ApiCall, answer="bad", period="day"),
        ask("All calls, last 24 hours", ApiCall, period="day"),
        ask("Webhook requests that were rejected", WebhookRejection, hint="reasons"),
        ask("Background jobs that fail", DutyRun, failing="yes"),
    ]
    if access.is_superuser(request):
        questions += [
            Question("Background jobs of the whole portal", list_address(PortalDuty)),
            Question("Workers and their queue", list_address(Heartbeat)),
        ]
    return questions
