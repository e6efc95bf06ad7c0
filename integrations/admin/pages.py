"""The admin's pages that no list of one model can be: the platforms' answers and the check of the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from integrations.admin import access
from integrations.audit.acts import record_check
from integrations.audit.chain_walk import Fault
from integrations.audit.models.chain_head import AnnouncedHead, ChainHead
from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.audit.verification import OutOfTime, Verification, chain_of, result_of, verify_chain
from integrations.clients.models import FIRST_SERVER_ERROR, ApiCall, CircuitBreaker
from integrations.core.vocabulary import Platform
from integrations.invitations.models.candidate import Candidate
from integrations.organizations.models.organization import Organization

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
    _read(found, calls.order_by("-at", "-pk")[:LOOKED_THROUGH])
    return list(found.values())


def _read(found: dict[Platform, Answers], calls: Iterable[ApiCall]) -> None:
    """Add the calls, newest first."""
    for call in calls:
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


PORTAL = "The whole portal"
#: A page may take so long; a longer log is checked by the command.
CHECKED_FOR = timedelta(seconds=10)
#: So many faults are shown; the command prints all.
SHOWN_FAULTS = 50


@dataclass(frozen=True)
class Log:
    """One chain: whose it is, where it ends, where it was last announced and how it was last checked."""

    organization: Organization | None
    head: ChainHead | None
    announced: AnnouncedHead | None
    checked: AuditEntry | None

    @property
    def name(self) -> str:
        """Whose log it is."""
        return self.organization.name if self.organization else PORTAL

    @property
    def key(self) -> str:
        """How the page's form names it."""
        return self.organization.slug if self.organization else ""

    @property
    def result(self) -> str:
        """How the last check ended, as it was recorded; empty before the first."""
        after = self.checked.changes.get("result", ("", "")) if self.checked else ("", "")
        return str(after[1])


@dataclass
class Check:
    """What a check found."""

    log: str
    verification: Verification | None = None
    #: The first SHOWN_FAULTS of the faults, and how many there are.
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    seconds: float = 0
    #: Up to which position all was checked; for a check that ran out of time.
    checked_until: int = 0

    def report(self, fault: Fault) -> None:
        """Add a fault."""
        self.fault_count += 1
        if len(self.faults) < SHOWN_FAULTS:
            self.faults.append(fault)

    @property
    def is_complete(self) -> bool:
        """Whether it came to the log's end."""
        return self.verification is not None

    @property
    def is_whole(self) -> bool:
        """Whether nothing that was checked is wrong."""
        return not self.faults

    @property
    def sentence(self) -> str:
        """The result in a sentence."""
        position = self.verification.position if self.verification else self.checked_until
        return result_of(self.fault_count, position, is_complete=self.is_complete)


def logs_of(organizations: Sequence[Organization | None]) -> list[Log]:
    """Return where the logs of these organizations stand, None for that of the whole portal; a query of each kind."""
    heads = ChainHead.objects.in_bulk([chain_of(organization) for organization in organizations])
    announced = {row.chain: row for row in _last_announced(list(heads))}
    checked = {row.organization_id: row for row in _last_checks(organizations)}
    of_portal = AuditEntry.objects.filter(organization=None, action=AuditAction.VERIFY_LOG)
    portal_checked = of_portal.order_by("-at").first() if None in organizations else None
    return [
        Log(
            organization,
            heads.get(chain_of(organization)),
            announced.get(chain_of(organization)),
            checked.get(organization.pk) if organization else portal_checked,
        )
        for organization in organizations
    ]


def _last_announced(chains: list[int]) -> QuerySet[AnnouncedHead]:
    latest = AnnouncedHead.objects.filter(chain=OuterRef("pk")).order_by("-position").values("pk")[:1]
    keys = ChainHead.objects.filter(pk__in=chains).values_list(Subquery(latest))
    return AnnouncedHead.objects.filter(pk__in=keys)


def _last_checks(organizations: Sequence[Organization | None]) -> QuerySet[AuditEntry]:
    checks = AuditEntry.objects.filter(organization=OuterRef("pk"), action=AuditAction.VERIFY_LOG)
    own = Organization.objects.filter(pk__in=[one.pk for one in organizations if one])
    return AuditEntry.objects.filter(
        pk__in=own.values_list(Subquery(checks.order_by("-at").values("pk")[:1]))
    )


def check_log(organization: Organization | None, actor: User) -> Check:
    """Check the log for at most CHECKED_FOR, and record who checked and what was found."""
    begun = timezone.now()
    check = Check(organization.name if organization else PORTAL)
    try:
        check.verification = verify_chain(chain_of(organization), check.report, until=begun + CHECKED_FOR)
    except OutOfTime as out:
        check.checked_until = out.position
    check.seconds = (timezone.now() - begun).total_seconds()
    record_check(organization, actor, check.sentence)
    return check


#: So many organizations are offered to choose from; an address can name any.
OFFERED = 50


def addresses() -> list[URLPattern]:
    """Return the pages' addresses within the admin."""
    view = admin.site.admin_view
    return [
        path("log/", view(log), name="log"),
        path("answers/", view(answers), name="answers"),
        path("candidates/<int:organization_id>/<path:opportunity_id>/", view(candidate), name="candidate"),
    ]


@require_http_methods(["GET", "POST"])
def log(request: HttpRequest) -> HttpResponse:
    """Show where each log ends; by POST check the chosen one."""
    _require_member(request)
    check = None
    if request.method == "POST":
        slug = request.POST.get("organization", "")
        check = check_log(_log_owner(request, slug), access.current_user(request))
    organizations: list[Organization | None] = list(access.organizations(request)[:OFFERED])
    if access.is_superuser(request):
        organizations.append(None)
    return _page(
        request,
        "log",
        title="Is this log whole?",
        logs=logs_of(organizations),
        check=check,
    )


@require_safe
def answers(request: HttpRequest) -> HttpResponse:
    """Show when each platform last answered the chosen organization, and how fast."""
    _require_member(request)
    organizations = list(access.organizations(request)[:OFFERED])
    slug = request.GET.get("organization", "")
    chosen = access.organizations(request).filter(slug=slug).first() if slug else None
    chosen = chosen or next(iter(organizations), None)
    return _page(
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
    _require_member(request)
    organization = get_object_or_404(access.organizations(request), pk=organization_id)
    if row := Candidate.objects.filter(organization=organization, opportunity_id=opportunity_id).first():
        return redirect("admin:integrations_candidate_change", row.pk)
    deliveries = reverse("admin:integrations_delivery_changelist")
    query = urlencode({"q": opportunity_id, "organization": str(organization.pk)})
    return redirect(f"{deliveries}?{query}")


def _page(request: HttpRequest, name: str, **context: Any) -> TemplateResponse:
    request.current_app = admin.site.name
    shown = {**admin.site.each_context(request), **context}
    return TemplateResponse(request, f"admin/integrations/{name}.html", shown)


def _require_member(request: HttpRequest) -> None:
    if not access.has_right(request, "may_retry"):
        raise PermissionDenied


def _log_owner(request: HttpRequest, slug: str) -> Organization | None:
    """Return whose log is to be checked; None for that of the whole portal, which only superusers may."""
    if not slug and access.is_superuser(request):
        return None
    organization = access.organizations(request).filter(slug=slug).first()
    if organization is None:
        raise PermissionDenied
    return organization
