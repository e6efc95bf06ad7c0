"""The overview's numbers: how far today's candidates came, and what needs a person's attention.

Each has its number, its reason, and the page where something can be done.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet, Value
from django.urls import reverse
from django.utils import timezone

from integrations.core.finding_code import Level
from integrations.core.verdict_code import NOT_INVITED_VERDICTS, VerdictCode
from integrations.health.findings import Finding
from integrations.invitations.models.candidate import count_candidates
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.outbox.models.effect import Effect
from integrations.pages.access import visible
from integrations.pages.activity.candidate_filters import (
    ATTENTION_DAYS,
    CORRECTABLE_REASON,
    CandidateFilters,
    Figure,
    Step,
)
from integrations.pages.activity.candidate_search import CandidateSearch
from integrations.pages.health import advised


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


def attention(member: Membership, waiting: Waiting, findings: Iterable[Finding]) -> list[AttentionItem]:
    """Return what needs the member's attention, what stops invitations first; one query."""
    return [*_problems(advised(findings, member)), *_not_invited(member), *_waiting(member, waiting)]


def further_findings(findings: Iterable[Finding]) -> int:
    """Return how many findings, besides those that are merely worth knowing, only the health page shows."""
    others = [
        one for one in findings if not one.code.record.is_counted_on_overview and not _stops_invitations(one)
    ]
    return sum(one.level != Level.INFO for one in others)


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
            "warning", meaning, finding.message, finding.fix, finding.link_text, finding.page.url
        )


def _not_invited(member: Membership) -> Iterator[AttentionItem]:
    """Yield those who entered a stage lately, got no assessment, and would if somebody corrected something."""
    since = timezone.localdate() - timedelta(days=ATTENTION_DAYS)
    listed = CandidateFilters(view="not_invited", reason=CORRECTABLE_REASON, since=since.isoformat())
    by_verdict = CandidateSearch(member, listed).rows().order_by().values_list("delivery__verdict")
    counts = dict(by_verdict.annotate(count=Count("pk")))
    if not counts:
        return
    number = sum(counts.values())
    parts = [
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
        title = f"{_counted(number, 'candidate', 'candidates')} possibly got an invitation"
        reason = (
            "CodeScreen's answer never arrived. An Admin checks there whether it was sent, and says so here."
        )
        act = "Check and record" if may_decide else SEE_WHO
        yield AttentionItem("help", "bad", title, reason, act, CandidateFilters(status="uncertain").url)
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
