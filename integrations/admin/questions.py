"""The admin's index: what people ask of the records, each question with its count and the list that answers it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from integrations.admin import access
from integrations.admin.access import count_text, visible
from integrations.admin.audit_log import ABOUT
from integrations.admin.filters import bounds_of
from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import NOT_ANSWERED_WELL, ApiCall, CircuitBreaker
from integrations.core.finding_code import FindingCode
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import DeliveryEvent, Platform
from integrations.effects.perform import kinds_acting_on
from integrations.health.models import Incident, LeverProbe, LinterFinding, WebhookRejection
from integrations.inbox.models.delivery import STUCK, Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models import Effect
from integrations.queue.models.duty_run import DutyRun
from integrations.queue.models.nodes import PortalDuty


@dataclass(frozen=True)
class Question:
    """One question, the address of its answer, and how many rows answer it; no count where it says nothing."""

    text: str
    address: str
    count: str = ""
    hint: str = ""

    @property
    def is_none(self) -> bool:
        """Whether there is nothing to see."""
        return self.count == "0"


@dataclass(frozen=True)
class QuestionGroup:
    """Questions of one kind."""

    title: str
    lead: str
    questions: list[Question]


def question_groups(request: HttpRequest) -> list[QuestionGroup]:
    """Return the questions of a person who sees records, else none; each count is of their organizations' rows."""
    if not access.has_right(request, "may_retry"):
        return []
    return [
        QuestionGroup("What waits", "For a person, or for a platform.", list(_waiting(request))),
        QuestionGroup(
            "What happened", "To candidates, and what was written about them.", list(_happened(request))
        ),
        QuestionGroup("Who changed what", "Every change by people and commands.", list(_changed(request))),
        QuestionGroup("Is it healthy", "Platforms, webhooks, jobs.", list(_health(request))),
    ]


def list_address(model: type[Model], **filters: str | int) -> str:
    """Return the address of a list of the admin with these filters."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def _question(
    request: HttpRequest, text: str, model: type[Model], wanted: dict[str, Any] | None = None, **filters: str
) -> Question:
    """Return a question whose answer is the filtered list; `wanted` are the lookups that the filters stand for."""
    rows = visible(model, request).filter(**(wanted or {}))
    return Question(text, list_address(model, **filters), count_text(rows))


def _since(period: str, column: str) -> dict[str, Any]:
    begin, _ = bounds_of(period)
    return {f"{column}__gte": begin}


def _waiting(request: HttpRequest) -> Iterator[Question]:
    status = Invitation.Status
    held, uncertain, failed = status.HELD.value, status.UNCERTAIN.value, status.FAILED.value
    yield _question(
        request, "Invitations that need approval", Invitation, {"status": held}, status__exact=held
    )
    yield _question(
        request,
        "Invitations that were possibly sent",
        Invitation,
        {"status": uncertain},
        status__exact=uncertain,
    )
    yield _question(
        request, "Invitations that could not be sent", Invitation, {"status": failed}, status__exact=failed
    )
    yield _question(
        request,
        "Candidates who failed and wait for a decision",
        Invitation,
        {"awaits_decision_since__isnull": False},
        decision="awaited",
    )
    yield _question(
        request,
        "Candidates who may be invited already, by what isn't on record",
        Delivery,
        {"verdict": VerdictCode.ENTERED_BEFORE},
        verdict__exact=VerdictCode.ENTERED_BEFORE.value,
    )
    yield _question(
        request,
        "Stage changes that wait for a connection or the end of a pause",
        Delivery,
        {"is_waiting": True},
        progress="waiting",
    )
    stuck = visible(Delivery, request).filter(STUCK)
    yield Question(
        "Stage changes that could not be decided", list_address(Delivery, progress="stuck"), count_text(stuck)
    )
    yield _question(
        request,
        "What could not be written or sent",
        Effect,
        {"state": Effect.State.FAILED},
        state__exact=Effect.State.FAILED.value,
    )


def _happened(request: HttpRequest) -> Iterator[Question]:
    yield _question(
        request,
        "Who got no test, and why? Last 7 days",
        Candidate,
        {"invitation__isnull": True, **_since("week", "entered_at")},
        invited="no",
        period="week",
    )
    yield _question(
        request, "Who was invited? Last 7 days", Invitation, _since("week", "created_at"), period="week"
    )
    yield Question(
        "Was anyone invited twice this quarter?",
        list_address(Invitation, invited="again", period="quarter"),
        count_text(visible(Invitation, request).filter(round__gt=1, **_since("quarter", "created_at"))),
        "second rounds",
    )
    yield _question(
        request,
        "What was written to Lever? Last 7 days",
        Effect,
        {"kind__in": kinds_acting_on(Platform.LEVER), **_since("week", "created_at")},
        on="lever",
        period="week",
    )
    yield _question(
        request, "Which results came? Last 7 days", Result, _since("week", "created_at"), period="week"
    )
    yield _question(
        request,
        "What did the sweep repair? This quarter",
        Delivery,
        {"event": DeliveryEvent.SWEEP, "invitation__isnull": False, **_since("quarter", "received_at")},
        found_by="repair",
        period="quarter",
    )


def _changed(request: HttpRequest) -> Iterator[Question]:
    yield _question(
        request, "Everything that was changed, last 7 days", AuditEntry, _since("week", "at"), period="week"
    )
    for subject in ("mappings", "policies", "members", "decisions"):
        label, actions = ABOUT[subject]
        yield _question(
            request,
            f"{label}, last 7 days",
            AuditEntry,
            {"action__in": actions, **_since("week", "at")},
            about=subject,
            period="week",
        )
    for subject in ("refused", "handed_out", "erased"):
        label, actions = ABOUT[subject]
        yield _question(
            request,
            f"{label}, this quarter",
            AuditEntry,
            {"action__in": actions, **_since("quarter", "at")},
            about=subject,
            period="quarter",
        )
    yield Question("Was this log edited? Check that it is whole", reverse("admin:log"))


def _health(request: HttpRequest) -> Iterator[Question]:
    yield Question("When did Lever and CodeScreen last answer, how fast?", reverse("admin:answers"))
    yield _question(request, "Incidents now", Incident, {"ended_at__isnull": True}, state="ongoing")
    for code, text in (
        (FindingCode.PLATFORM_DOWN, "Outages of Lever or CodeScreen, and who was affected"),
        (
            FindingCode.CODESCREEN_KEY_REFUSED,
            "Times when CodeScreen refused the API key, and who was affected",
        ),
    ):
        yield _question(request, text, Incident, {"code": code}, what=code.value)
    rejected = count_text(visible(WebhookRejection, request))
    yield Question("Webhook requests that were rejected", list_address(WebhookRejection), rejected, "reasons")
    yield _question(
        request,
        "Set-up issues, by the last hourly check",
        LinterFinding,
        {"gone_at__isnull": True},
        gone="no",
    )
    yield _question(
        request, "Connections whose calls fail", CircuitBreaker, {"failures__gt": 0}, failing="yes"
    )
    yield Question(
        "Health checks of Lever", list_address(LeverProbe), count_text(visible(LeverProbe, request))
    )
    yield _question(request, "Background jobs that fail", DutyRun, {"failures__gt": 0}, failing="yes")
    yield Question(
        "Calls without a good answer, last 24 hours",
        list_address(ApiCall, answer="bad", period="day"),
        count_text(_bad_calls(request)),
    )
    if access.is_superuser(request):
        yield Question("What runs by the clock", list_address(PortalDuty), "")


def _bad_calls(request: HttpRequest) -> QuerySet[ApiCall]:
    return visible(ApiCall, request).filter(NOT_ANSWERED_WELL, **_since("day", "at"))
