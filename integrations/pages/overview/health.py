"""Health, on the overview: what is to be corrected besides what needs attention, the incidents, and the work."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Max
from django.db.models.functions import Now

from integrations.core.finding_code import ASKED_FOR, HEALTH, OUTAGES, OVERVIEW, FindingCode, Level
from integrations.health.checks.work import UNDECIDED_FOR
from integrations.health.findings import Finding
from integrations.health.models import Incident
from integrations.inbox.models.delivery import STUCK, Delivery
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.pages.activity.rows import candidates_of
from integrations.queue.models.nodes import Heartbeat

MOST_INCIDENTS = 20
#: Of the deliveries that are stuck, and of those that wait, the oldest are shown, at most this many: the finding
#: names the oldest too.
MOST_UNDECIDED = 50
SETUP = "setup"


@dataclass(frozen=True)
class FindingGroup:
    """Findings that belong together: what they are called, and what they mean for the organization."""

    code: str
    title: str
    meaning: str
    findings: list[Finding]
    icon: str = "warning"

    @property
    def is_one_level(self) -> bool:
        """Whether all are equally serious, as the title says."""
        return self.code in set(Level)


def health(
    organization: Organization, findings: Collection[Finding], said_above: Collection[Finding] = ()
) -> dict[str, Any]:
    """Return what the section shows: the findings not said above it, incidents, and the state of the work."""
    groups = finding_groups(one for one in findings if one not in said_above)
    has_undecided = any(one.code == FindingCode.UNDECIDED_DELIVERIES for one in findings)
    return {
        "groups": groups,
        "problems": sum(one.level != Level.INFO for group in groups for one in group.findings),
        "incidents": recent_incidents(organization),
        "queue": queue_state(organization),
        **(undecided_deliveries(organization) if has_undecided else {}),
    }


def finding_groups(findings: Iterable[Finding]) -> list[FindingGroup]:
    """Return the findings in groups, each finding once, most serious first; empty groups are left out."""
    found = [one for one in findings if one.code != FindingCode.OK]
    setup = [one for one in found if one.is_about_setup]
    waiting = [one for one in found if one.is_about_candidates]
    levels: dict[Level, list[Finding]] = {level: [] for level in Level}
    for one in found:
        if one not in setup and one not in waiting:
            levels[one.level].append(one)
    groups = [
        FindingGroup(
            "error",
            "Fix these now",
            "Until these are fixed, candidates may not be invited or results may not arrive.",
            levels[Level.ERROR],
        ),
        FindingGroup(
            "candidates",
            "Candidates who need you",
            "Everything else works.",
            waiting,
            "people",
        ),
        FindingGroup("warning", "Working, but fix these soon", "", levels[Level.WARNING]),
        FindingGroup(SETUP, "Set-up issues", "In the mappings, and in the tags in Lever.", setup, "settings"),
        FindingGroup("info", "Good to know", "Nothing is wrong.", levels[Level.INFO], "info"),
    ]
    return [group for group in groups if group.findings]


def undecided_deliveries(organization: Organization) -> dict[str, Any]:
    """Return the deliveries that the findings count as not decided, each with its candidate, and whether it is all.

    Those that are stuck come first, and then those that wait; of both the oldest first.
    """
    late = Delivery.objects.undecided_since(Now() - UNDECIDED_FOR).filter(organization=organization)
    stuck = Delivery.objects.filter(STUCK, organization=organization)
    found = [
        list(rows.defer("payload", "traceback").order_by("received_at", "pk")[: MOST_UNDECIDED + 1])
        for rows in (stuck, late)
    ]
    shown = [one for rows in found for one in rows[:MOST_UNDECIDED]]
    candidates = candidates_of(organization, shown)
    return {
        "undecided": [(one, candidates.get(one.opportunity_id)) for one in shown],
        "most_undecided": MOST_UNDECIDED,
        "has_more_undecided": any(len(rows) > MOST_UNDECIDED for rows in found),
    }


def recent_incidents(organization: Organization) -> dict[str, list[Incident]]:
    """Return what all candidates depend on and didn't work: what goes on, and the last that is over."""
    rows = list(Incident.objects.filter(organization=organization, code__in=OUTAGES)[:MOST_INCIDENTS])
    return {
        "ongoing": [row for row in rows if row.ended_at is None],
        "over": [row for row in rows if row.ended_at is not None],
    }


def queue_state(organization: Organization) -> dict[str, Any]:
    """Return when a worker last reported, how many rows are due, and when the portal last heard from Lever."""
    own = {"organization": organization}
    due = [rows.objects.free().filter(**own).count() for rows in (Delivery, Effect)]
    return {
        "heartbeat_at": Heartbeat.objects.aggregate(at=Max("at"))["at"],
        "due": sum(due),
        **LeverWebhook.objects.filter(**own).aggregate(
            last_received_at=Max("last_received_at"), last_verified_at=Max("last_verified_at")
        ),
        "swept_at": organization.lever.swept_at if organization.lever else None,
    }


def advised(findings: Iterable[Finding], member: Membership) -> list[Finding]:
    """Return the findings as the overview says them: what the member may not do, they ask for.

    None leads to the section that it stands in.
    """
    here = replace(OVERVIEW, url="")
    return [
        replace(
            one,
            page=here if one.page in {OVERVIEW, HEALTH} else one.page,
            ask=None if member.may(one.page.needs) else ASKED_FOR[one.page.needs],
        )
        for one in findings
    ]
