"""The first page: the set-up checklist until every step is done, then what needs attention and today.

Each number is that of the list to which it leads, where something can be done.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.core.cache import caches
from django.db.models import Count, QuerySet, Value
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.decorators.csp import csp_override

from integrations.accounts.acts.fresh_proof import is_proven
from integrations.catalog.lists import trigger_stages
from integrations.catalog.models import Stage
from integrations.core.act import Act
from integrations.core.finding_code import Level
from integrations.core.verdict_code import NOT_INVITED_VERDICTS, VerdictCode
from integrations.health import doctor
from integrations.health.findings import Finding
from integrations.inbox.today import CAN_BE_INVITED, Today
from integrations.invitations.models.candidate import Candidate, count_candidates
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import ADMINS, SUPER_ADMINS, Membership
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.pages.access import OrganizationMixin, visible
from integrations.pages.activity.candidate_filters import (
    ATTENTION_DAYS,
    CORRECTABLE_REASON,
    FREED_REASON,
    CandidateFilters,
    Figure,
    Step,
)
from integrations.pages.activity.candidate_search import CandidateSearch
from integrations.pages.activity.rows import candidate_rows
from integrations.pages.overview.checklist import SetupStep, said_by_steps, setup_steps
from integrations.pages.overview.first_candidate import first_candidate
from integrations.pages.overview.health import advised, health
from integrations.pages.settings.connections import ConnectionsForm
from integrations.pages.settings.lever_connect import connect_policy
from integrations.pages.views import ActView, PartialsMixin
from integrations.queue import notify

LATEST = 10
CATALOG_REFRESH_SECONDS = 8
#: The steps whose state depends on the copies of the platforms' lists.
CATALOG_STEPS = frozenset({"codescreen", "roles"})
PAUSED = "Paused. Nothing is sent until somebody presses “Resume”."
#: The part of the page that an act of the set-up leads back to: what to do next.
NEXT_STEP = "#next-step"


@dataclass(frozen=True)
class Waiting:
    """How many candidates, or steps that failed, wait for a person, by reason."""

    held: int
    uncertain: int
    not_sent: int
    failed_steps: int
    offered: int

    @property
    def total(self) -> int:
        return sum(getattr(self, one.name) for one in fields(self))


def today(member: Membership) -> list[Figure]:
    """Return how far the candidates that the member sees came since midnight in the reader's time zone; one query."""
    day = timezone.localdate().isoformat()
    found = [CandidateFilters(step=step.value, since=day) for step in Step]
    first, *others = [_counted_step(member, filters) for filters in found]
    numbers = dict(first.union(*others, all=True).order_by())
    return [filters.figure(Step(filters.step).label, numbers.get(filters.step, 0)) for filters in found]


def _counted_step(member: Membership, filters: CandidateFilters) -> QuerySet[Any, Any]:
    """Return how many candidates the list of these filters has: step and number."""
    rows = CandidateSearch(member, filters).rows().order_by().annotate(step=Value(filters.step))
    return rows.values_list("step").annotate(count=Count("pk"))


def waiting_for_a_person(member: Membership) -> Waiting:
    """Return how much of what the member sees waits for a person."""
    organization = member.organization
    own = visible(Invitation.objects.filter(organization=organization), member)
    failed_steps = Effect.objects.failed_steps().filter(organization=organization)
    return Waiting(
        **own.candidates_waiting(),
        failed_steps=visible(failed_steps, member).count(),
        offered=count_candidates(CandidateSearch(member, CandidateFilters()).offered),
    )


SEE_WHO = "See who"


class Part(NamedTuple):
    """A part of the whole, such as one reason, with the list that shows it; no address where no list does."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class AttentionItem:
    """One thing that needs attention: what it is, why, and what the link does. `meaning` is a badge's class."""

    icon: str
    meaning: str
    title: str
    reason: str
    act: str
    url: str
    parts: tuple[Part, ...] = ()
    ask: Act | None = None


def attention(
    member: Membership, waiting: Waiting, findings: Iterable[Finding], judged: Today | None = None
) -> list[AttentionItem]:
    """Return what needs the member's attention, what stops invitations first; at most two queries."""
    return [
        *_problems(findings),
        *_not_invited(member, judged or Today(member.organization)),
        *_waiting(member, waiting),
    ]


def said_above(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that stand above Health: they need attention now, or are counted among what does."""
    return [one for one in findings if one.code.record.is_counted_on_overview or _stops_invitations(one)]


def _stops_invitations(finding: Finding) -> bool:
    return finding.level == Level.ERROR or finding.code.record.stops_invitations


def _problems(findings: Iterable[Finding]) -> Iterator[AttentionItem]:
    """Yield the findings that stop invitations, the worst first."""
    shown = [
        one for one in findings if not one.code.record.is_counted_on_overview and _stops_invitations(one)
    ]
    for finding in sorted(shown, key=lambda one: -one.level.severity):
        meaning = "bad" if finding.level == Level.ERROR else "warn"
        yield AttentionItem(
            "warning",
            meaning,
            finding.message,
            finding.fix,
            finding.link_text,
            finding.page.url,
            ask=finding.ask,
        )


def _not_invited(member: Membership, judged: Today) -> Iterator[AttentionItem]:
    """Yield those who entered a stage lately, got no assessment, and would if somebody corrected something."""
    since = timezone.localdate() - timedelta(days=ATTENTION_DAYS)
    listed = CandidateFilters(view="not_invited", reason=CORRECTABLE_REASON, since=since.isoformat())
    rows = CandidateSearch(member, listed, judged).rows().order_by()
    unchanged = rows.exclude(pk__in=judged.changed) if judged.changed else rows
    by_verdict = unchanged.values_list("delivery__verdict").annotate(count=Count("pk"))
    counts, freed = Counter(dict(by_verdict)), 0
    for key in rows.filter(pk__in=judged.changed).values_list("pk", flat=True) if judged.changed else ():
        one = judged.changed[key]
        if one.is_freed:
            freed += 1
        else:
            counts[one.decision.verdict] += 1
    number = counts.total() + freed
    if not number:
        return
    parts = [Part(f"{freed} {CAN_BE_INVITED}", replace(listed, reason=FREED_REASON).url)] if freed else []
    parts += [
        Part(f"{counts.pop(verdict)} {verdict.record.phrase}", replace(listed, reason=verdict.value).url)
        for verdict in NOT_INVITED_VERDICTS
        if verdict in counts
    ]
    if counts:
        parts.append(Part(f"{sum(counts.values())} waiting for a connection or the end of a pause"))
    who = "1 candidate was" if number == 1 else f"{number} candidates were"
    yield AttentionItem(
        "mail",
        "bad",
        f"{who} not invited",
        f"They entered a CodeScreen stage in the last {ATTENTION_DAYS} days and got no assessment.",
        "See who and why",
        listed.url,
        tuple(parts),
    )


def _waiting(member: Membership, waiting: Waiting) -> Iterator[AttentionItem]:
    """Yield what waits for somebody to say yes or no: what the member does about it, or who has to."""
    may_decide = member.may_configure
    if number := waiting.held:
        title = f"{_counted(number, 'candidate needs', 'candidates need')} approval"
        reason = "Your rules ask for it. Nothing is sent until an Admin approves."
        act = "Send or cancel" if member.may_approve else SEE_WHO
        yield AttentionItem("pause", "warn", title, reason, act, CandidateFilters(status="held").url)
    if number := waiting.uncertain:
        title = f"Did {_counted(number, 'candidate', 'candidates')} get the invitation? We don't know."
        reason = "CodeScreen gave no answer. An Admin checks there whether it was sent."
        act, url = SEE_WHO, CandidateFilters(status="uncertain").url
        if may_decide:
            reason = "CodeScreen gave no answer. Check in CodeScreen: was it sent? Then answer here."
            act, url = "Settle it", f"{reverse('candidates-bulk')}?act=settle&status=uncertain&all=1"
        yield AttentionItem("help", "bad", title, reason, act, url)
    if number := waiting.not_sent:
        title = f"{_counted(number, 'candidate', 'candidates')} could not be sent an invitation"
        reason = "Each candidate's page says why. Fix the reason, then send it again."
        act = "See and retry" if member.may_retry_effects else SEE_WHO
        yield AttentionItem("mail", "bad", title, reason, act, CandidateFilters(status="not_sent").url)
    if number := waiting.failed_steps:
        title = f"{_counted(number, 'step', 'steps')} failed"
        reason = "The portal could not write to Lever or CodeScreen, or send an e-mail. Fix the reason, then retry."
        act, url = SEE_WHO, CandidateFilters(view="attention").url
        if member.may_retry_effects:
            act, url = "See and retry", f"{reverse('candidates-bulk')}?act=retry"
        yield AttentionItem("refresh", "bad", title, reason, act, url)
    if number := waiting.offered:
        title = f"{_counted(number, 'candidate', 'candidates')} may be invited already"
        reason = (
            "They were in a stage before the portal's records begin, or have a progress tag but no invitation here. An "
            "Admin decides."
        )
        url = CandidateFilters(view="not_invited", reason=VerdictCode.ENTERED_BEFORE).url
        act = "Invite or leave them" if may_decide else SEE_WHO
        yield AttentionItem("people", "warn", title, reason, act, url)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


class OverviewView(OrganizationMixin, PartialsMixin):
    """Show the organization at a glance."""

    template_name = "integrations/overview.html"
    partials = {
        "checklist": "integrations/_checklist.html",
        "overview": "integrations/_overview_current.html",
        "health": "integrations/_overview_health.html",
    }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the checklist, the counts and the newest rows; for a partial only what it shows."""
        # a Limited Team Member has no part in the set-up, and the first journey may be any candidate's
        has_checklist = self.partial != "overview" and self.membership.sees_all_candidates
        stages = trigger_stages(self.organization) if has_checklist or not self.partial else []
        steps = setup_steps(self.organization) if has_checklist else []
        sent = Invitation.objects.filter(organization=self.organization).exclude(instance_id="")
        is_ready = all(step.is_done for step in steps)
        first = first_candidate(self.organization, stages) if steps and is_ready else None
        context = super().get_context_data(
            steps=steps,
            steps_done=sum(step.is_done for step in steps),
            next_step=_next_step(steps),
            is_ready=is_ready,
            first=first,
            has_set_up_part=bool(steps) and not (first and first.is_over),
            was_set_up=has_checklist and sent.exists(),
            trigger_stages=stages,
            can_connect=bool(settings.LEVER_CLIENT_ID and settings.LEVER_CLIENT_SECRET),
            levers_webhooks=self.organization.lever_region.webhooks_page(),
            # a key is entered here while the proof of who the person is counts, else on a page that asks for it
            key_form=ConnectionsForm() if is_proven(self.request) else None,
            **kwargs,
        )
        if self.partial == "checklist":
            self._refresh_catalog(steps, stages)
            return context
        context |= self.current_state(steps)
        if not self.partial:
            candidates = CandidateSearch(self.membership, CandidateFilters(), self.judged)
            context |= {"needs_attention": candidates.need_attention()}
        return context

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Let the checklist's Connect form lead to Lever, as on the settings page, while there is a checklist."""
        response = super().render_to_response(context, **kwargs)
        if context["is_ready"] or not self.membership.may_connect:
            return response
        relaxed: HttpResponse = csp_override(connect_policy())(lambda _: response)(self.request)
        return relaxed

    def _refresh_catalog(self, steps: Sequence[SetupStep], stages: Sequence[Stage]) -> None:
        """Request the platforms' lists while an Admin is on the checklist and what comes next depends on them."""
        to_do = [step for step in steps if not step.is_done]
        is_needed = any(step.code in CATALOG_STEPS for step in to_do) if to_do else not stages
        if not is_needed or not self.membership.may_configure:
            return
        key = f"lists-asked-{self.organization.pk}"
        if caches["memory"].add(key, True, CATALOG_REFRESH_SECONDS):
            notify.request_catalog_refresh(self.organization)

    @cached_property
    def judged(self) -> Today:
        """What the rules of now say of those who were not invited."""
        return Today(self.organization)

    def current_state(self, steps: Sequence[SetupStep]) -> dict[str, Any]:
        """Return what the page keeps up to date: what needs attention, counts, the latest candidates and Health."""
        # findings name candidates, and a Limited Team Member has no part in fixing them
        is_told = self.membership.sees_all_candidates
        findings = advised(doctor.findings(self.organization), self.membership) if is_told else []
        waiting = waiting_for_a_person(self.membership)
        rows = candidate_rows(self._latest(), self.judged)
        # before anything has happened, the set-up and Health are all that the page shows
        is_ready = all(step.is_done for step in steps)
        has_begun = is_ready or bool(rows or waiting.total or self.organization.pause)
        above = said_above(findings) if has_begun else said_by_steps(steps, findings)
        return {
            "has_begun": has_begun,
            "waiting": waiting,
            "today": today(self.membership),
            "attention": attention(self.membership, waiting, findings, self.judged),
            "rows": rows,
            "health": health(self.organization, findings, above) if is_told else None,
        }

    def _latest(self) -> Iterable[Candidate]:
        """Return the latest candidates that the member sees."""
        own = visible(Candidate.objects.filter(organization=self.organization), self.membership)
        return own.with_standing().order_by("-entered_at", "-pk")[:LATEST]


def _next_step(steps: Sequence[SetupStep]) -> SetupStep | None:
    """Return the step to do next; one that is begun finishes without the reader, so the others come first."""
    to_do = [step for step in steps if not step.is_done]
    return next((step for step in to_do if not step.is_begun), to_do[0] if to_do else None)


class OtherIntegrationOffView(OrganizationMixin, ActView):
    """Record that CodeScreen's own Lever integration is off: what waited for that is decided then."""

    allowed_roles = SUPER_ADMINS
    following_page = "overview"
    anchor = NEXT_STEP

    def operate(self, form: Form) -> str:
        stored = Organization.objects.get(pk=self.organization.pk)
        set_policies(stored, {"other_integration_off": True}, self.user)
        return "Recorded, with your name: CodeScreen's own Lever integration is off."


class PauseView(OrganizationMixin, ActView):
    """Pause the organization, or end its pause: what waited for that is decided then."""

    allowed_roles = ADMINS
    following_page = "overview"
    pauses = True

    def operate(self, form: Form) -> str | HttpResponse:
        """Do it, and say so; nothing changes if it was done already."""
        stored = Organization.objects.get(pk=self.organization.pk)
        if set_policies(stored, {"paused": self.pauses}, self.user):
            return PAUSED if self.pauses else "The pause has ended. What waited is decided now."
        messages.info(self.request, "Already paused." if self.pauses else "The pause had ended already.")
        return redirect(self.get_success_url())
