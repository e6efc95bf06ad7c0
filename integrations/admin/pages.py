"""The admin's pages that no list of one model can be: the index of what people ask, the platforms' answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from statistics import median

from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from integrations.admin import access
from integrations.admin.access import count_text, visible
from integrations.admin.audit_log import log
from integrations.admin.display import portal_page
from integrations.admin.filters import PERIOD, ChoiceFilter, PeriodFilter, bounds_of
from integrations.audit.models.entry import AuditEntry, AuditSubject
from integrations.clients.models import FIRST_SERVER_ERROR, ApiCall, CircuitBreaker
from integrations.core.finding_code import FindingCode
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import Platform
from integrations.health.models import Incident, LeverProbe, LinterFinding, WebhookRejection
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.queue.models.duty_run import DutyRun
from integrations.queue.models.nodes import PortalDuty

#: So many of the organization's latest calls are looked through.
LOOKED_THROUGH = 2_000
#: The median and the slowest are of so many answers.
MEASURED = 100


@dataclass
class Answers:
    """What is known of one platform's answers to one organization."""

    platform: Platform
    last_answer: ApiCall | None = None
    last_answer_at: datetime | None = None
    durations: list[int] = field(default_factory=list)
    not_answered: int = 0
    breaker: CircuitBreaker | None = None

    @property
    def median_ms(self) -> int | None:
        """The median time of the latest answers; None before the first."""
        return round(median(self.durations)) if self.durations else None

    @property
    def slowest_ms(self) -> int | None:
        """The longest time of the latest answers; None before the first."""
        return max(self.durations, default=None)

    @property
    def is_down(self) -> bool:
        """Whether calls wait because the platform doesn't answer."""
        return self.breaker is not None and self.breaker.is_open


def answers_to(organization: Organization) -> list[Answers]:
    """Return what is known of each platform's answers to the organization."""
    calls = ApiCall.objects.filter(organization=organization).defer("request_body", "response_body")
    found = {platform: Answers(platform) for platform in Platform}
    for breaker in CircuitBreaker.objects.filter(organization=organization):
        if breaker.platform in found:
            found[Platform(breaker.platform)].breaker = breaker
    for call in calls.order_by("-at", "-pk")[:LOOKED_THROUGH]:
        if call.platform not in found:
            continue
        answers = found[Platform(call.platform)]
        if call.status is None or call.status >= FIRST_SERVER_ERROR:
            if len(answers.durations) < MEASURED:
                answers.not_answered += 1
            continue
        at = call.last_at or call.at  # the same answer to a later poll is counted on the first
        if answers.last_answer_at is None or at > answers.last_answer_at:
            answers.last_answer, answers.last_answer_at = call, at
        if len(answers.durations) < MEASURED:
            answers.durations.append(call.duration_ms)
    return list(found.values())


def addresses() -> list[URLPattern]:
    """Return the pages' addresses within the admin."""
    view = admin.site.admin_view
    return [
        path("log/", view(log), name="log"),
        path("answers/", view(answers), name="answers"),
        path("candidates/<int:organization_id>/<path:opportunity_id>/", view(candidate), name="candidate"),
    ]


@require_safe
def answers(request: HttpRequest) -> HttpResponse:
    """Show when each platform last answered the chosen organization, and how fast."""
    access.require_member(request)
    organizations = list(access.organizations(request)[: access.OFFERED])
    slug = request.GET.get("organization", "")
    chosen = access.organizations(request).filter(slug=slug).first() if slug else None
    chosen = chosen or next(iter(organizations), None)
    return portal_page(
        request,
        "answers",
        title="When Lever and CodeScreen last answered",
        organizations=organizations,
        chosen=chosen,
        answers=answers_to(chosen) if chosen else [],
        measured=MEASURED,
    )


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


def question_groups(request: HttpRequest) -> list[tuple[str, str, list[Question]]]:
    """Return the questions of a person who sees records, else none: by kind, with a title and what stands below it.

    Each count is of their organizations' rows.
    """
    if not access.has_right(request, "may_retry_effects"):
        return []
    ask = partial(_question, request)
    return [
        ("What waits", "For a person, or for a platform.", _waiting(ask)),
        ("What happened", "To candidates, and what was written about them.", _happened(ask)),
        ("Who changed what", "Every change by people and commands.", _changed(ask)),
        ("Is it healthy", "Platforms, webhooks, jobs.", _health(ask, request)),
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
        ask("Invitations that could not be sent", Invitation, status__exact=status.FAILED.value),
        ask("Candidates who failed and wait for a decision", Invitation, decision="awaited"),
        ask(
            "Candidates who may be invited already, by what isn't on record",
            Delivery,
            verdict__exact=VerdictCode.ENTERED_BEFORE.value,
        ),
        ask("Stage changes that wait for a connection or the end of a pause", Delivery, progress="waiting"),
        ask("Stage changes that could not be decided", Delivery, progress="stuck"),
        ask("What could not be written or sent", Effect, state__exact=Effect.State.FAILED.value),
    ]


def _happened(ask: Ask) -> list[Question]:
    return [
        ask("Who got no test, and why? Last 7 days", Candidate, invited="no", period="week"),
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
        ask("What did the sweep repair? This quarter", Delivery, found_by="repair", period="quarter"),
    ]


def _changed(ask: Ask) -> list[Question]:
    weekly = (AuditSubject.MAPPINGS, AuditSubject.POLICIES, AuditSubject.MEMBERS, AuditSubject.DECISIONS)
    quarterly = (AuditSubject.REFUSED, AuditSubject.HANDED_OUT, AuditSubject.ERASED)
    return [
        ask("Everything that was changed, last 7 days", AuditEntry, period="week"),
        *(ask(f"{one.label}, last 7 days", AuditEntry, about=one.value, period="week") for one in weekly),
        *(
            ask(f"{one.label}, this quarter", AuditEntry, about=one.value, period="quarter")
            for one in quarterly
        ),
        Question("Was this log edited? Check that it is whole", reverse("admin:log")),
    ]


def _health(ask: Ask, request: HttpRequest) -> list[Question]:
    questions = [
        Question("When did Lever and CodeScreen last answer, how fast?", reverse("admin:answers")),
        ask("Incidents now", Incident, state="ongoing"),
        ask(
            "Outages of Lever or CodeScreen, and who was affected",
            Incident,
            what=FindingCode.PLATFORM_DOWN.value,
        ),
        ask(
            "Times when CodeScreen refused the API key, and who was affected",
            Incident,
            what=FindingCode.CODESCREEN_KEY_REFUSED.value,
        ),
        ask("Webhook requests that were rejected", WebhookRejection, hint="reasons"),
        ask("Set-up issues, by the last hourly check", LinterFinding, gone="no"),
        ask("Connections whose calls fail", CircuitBreaker, failing="yes"),
        ask("Health checks of Lever", LeverProbe),
        ask("Background jobs that fail", DutyRun, failing="yes"),
        ask("Calls without a good answer, last 24 hours", ApiCall, answer="bad", period="day"),
    ]
    if access.is_superuser(request):
        questions.append(Question("What runs by the clock", list_address(PortalDuty)))
    return questions
