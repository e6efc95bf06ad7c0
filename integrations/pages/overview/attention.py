"""What needs a person's attention: each thing with its number, its reason, and the page where something can be done."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from integrations.core.finding_code import Level
from integrations.core.verdict_code import NOT_INVITED_VERDICTS, VerdictCode
from integrations.health.findings import Finding
from integrations.members.models.membership import Membership
from integrations.pages.activity.candidate_filters import (
    ATTENTION_DAYS,
    CORRECTABLE_REASON,
    CandidateFilters,
    CandidateSearch,
)
from integrations.pages.health import advised
from integrations.pages.overview.counts import Waiting

SEE_WHO = "See who"


@dataclass(frozen=True)
class Part:
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
        parts.append(Part(f"{sum(counts.values())} waiting for the connection or a pause"))
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
        title = f"{_counted(number, 'invitation needs', 'invitations need')} approval"
        reason = (
            "More candidates than the bulk limit were moved at once. Nothing is sent until an Admin approves."
        )
        act = "Send or cancel" if may_decide else SEE_WHO
        yield AttentionItem("pause", "warn", title, reason, act, CandidateFilters(view="held").url)
    if number := waiting.uncertain:
        title = f"{_counted(number, 'invitation', 'invitations')} may have been sent"
        reason = "CodeScreen's answer got lost. An Admin looks there whether the candidate was invited, then says so."
        act = "Settle it" if may_decide else SEE_WHO
        yield AttentionItem("help", "bad", title, reason, act, CandidateFilters(view="uncertain").url)
    if number := waiting.bounced:
        title = f"{_counted(number, 'invitation', 'invitations')} bounced"
        reason = "The e-mail address can't be reached. Correct it in Lever, then an Admin sends it again."
        yield AttentionItem("mail", "bad", title, reason, "See who", CandidateFilters(view="bounced").url)
    if number := waiting.failed_effects:
        title = f"{_counted(number, 'step', 'steps')} failed"
        reason = "The portal could not write to Lever or CodeScreen, or send an e-mail. Correct the reason, then retry."
        url = CandidateFilters(view="attention").url
        if member.may_retry:
            url = f"{reverse('candidates-bulk')}?act=retry"
        yield AttentionItem("refresh", "bad", title, reason, "See and retry", url)
    if number := waiting.awaiting_decision:
        title = f"{_counted(number, 'failed candidate needs', 'failed candidates need')} your decision"
        reason = "Decide in Lever what becomes of them, then say so here."
        yield AttentionItem("person", "warn", title, reason, "Decide", CandidateFilters(view="undecided").url)
    if number := waiting.offered:
        title = f"{_counted(number, 'candidate', 'candidates')} may be invited already"
        reason = (
            "They were in a stage before the portal's records begin, or have a progress tag that no invitation here "
            "explains. An Admin decides."
        )
        url = CandidateFilters(view="not_invited", reason=VerdictCode.ENTERED_BEFORE).url
        act = "Invite or leave them" if may_decide else SEE_WHO
        yield AttentionItem("people", "warn", title, reason, act, url)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
