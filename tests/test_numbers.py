"""Each number that a page shows with a link: the list that the link opens has as many rows."""

from datetime import timedelta
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from integrations.models import (
    AuditAction,
    AuditEntry,
    AuditTarget,
    CircuitBreaker,
    Duty,
    DutyRun,
    Incident,
    Invitation,
    LinterFinding,
    Organization,
    Result,
    TargetKind,
    WebhookRejection,
)
from integrations.vocabulary import FollowingEnd, ResultOutcome, VerdictCode
from tests import factories
from tests.page_numbers import next_address, number_links, page_of, row_count

STATUS = Invitation.Status
#: The pages whose numbers are compared.
PAGES = [
    "/",
    "/activity/",
    "/activity/?view=attention",
    "/activity/?show=invitations",
    "/activity/?show=deliveries",
    "/activity/?show=effects",
    "/health/",
    "/reports/",
    "/admin/",
]
#: Where a link leads to a list. Elsewhere, as under Settings, it leads to what can be done.
LISTS = ("/activity/", "/health/", "/audit/", "/admin/")
UNINVITED = [
    code
    for code in VerdictCode
    if code
    not in {VerdictCode.INVITE, VerdictCode.HELD_FOR_APPROVAL, VerdictCode.TEST_REQUEST, VerdictCode.NOTED}
]


class World:
    """An organization with candidates in every state, of today and of weeks ago."""

    def __init__(self, organization: Organization) -> None:
        self.organization, self.number = organization, 0

    def candidate(self, verdict: str, invitation: Invitation | None = None, **columns: object) -> None:
        """Let a candidate enter a stage, with the verdict about it."""
        at = columns.pop("at")
        delivery = factories.DeliveryFactory.create(
            organization=self.organization,
            opportunity_id=self.opportunity,
            verdict=verdict,
            explanation="Why it is so.",
            received_at=at,
            decided_at=at,
            due_at=None,
            invitation=invitation,
        )
        factories.CandidateFactory.create(
            organization=self.organization,
            opportunity_id=self.opportunity,
            name="Alder Birch",
            delivery=delivery,
            invitation=invitation,
            entered_at=at,
            **columns,
        )

    @property
    def opportunity(self) -> str:
        return f"opportunity-{chr(97 + self.number // 26)}{chr(97 + self.number % 26)}"

    def invited(self, status: str, at, outcome: str | None = None, **columns: object) -> None:
        """Let a candidate be invited, and the invitation have this status, with a result unless `outcome` is None."""
        self.number += 1
        invitation = factories.InvitationFactory.create(
            organization=self.organization,
            opportunity_id=self.opportunity,
            status=status,
            instance_id="" if status in {STATUS.HELD, STATUS.PENDING, STATUS.FAILED} else self.opportunity,
            created_at=at,
            changed_at=timezone.now(),
            **columns,
        )
        held = status == STATUS.HELD
        if outcome is not None:
            Result.objects.create(invitation=invitation, outcome=outcome, score=82)
        self.candidate("held_for_approval" if held else "invite", invitation, at=at, outcome=outcome or "")

    def not_invited(self, verdict: str, at) -> None:
        """Let a candidate enter a stage and get no assessment."""
        self.number += 1
        self.candidate(verdict, at=at)


@pytest.fixture
def world(ready_organization: Organization) -> Organization:
    made, now = World(ready_organization), timezone.now()
    for at in (now, now - timedelta(days=1), now - timedelta(days=40)):
        for status in (STATUS.HELD, STATUS.PENDING, STATUS.UNCERTAIN, STATUS.FAILED):
            made.invited(status, at)
        for status in (STATUS.INVITED, STATUS.WITHDRAWN):
            made.invited(status, at, invited_at=at)
        made.invited(STATUS.INVITED, at, invited_at=at, bounced_at=at)
        made.invited(STATUS.IN_PROGRESS, at, invited_at=at, started_at=at)
        made.invited(STATUS.SUBMITTED, at, invited_at=at, started_at=at, submitted_at=at)
        for outcome in ("", *ResultOutcome):
            made.invited(STATUS.COMPLETED, at, outcome, invited_at=at, completed_at=at)
        done = {"invited_at": at, "started_at": at, "completed_at": now, "awaits_decision_since": now}
        made.invited(STATUS.COMPLETED, at, ResultOutcome.FAILED, **done)
        for end in (FollowingEnd.NOT_STARTED, FollowingEnd.GONE):
            made.invited(STATUS.INVITED, at, invited_at=at, following_ended=end, following_ended_at=at)
        for code in UNINVITED:
            made.not_invited(code, at)
        for state in ("failed", "done"):
            factories.EffectFactory.create(
                organization=ready_organization, state=state, due_at=None, created_at=at
            )
    _troubles(ready_organization)
    return ready_organization


def _troubles(organization: Organization) -> None:
    """Let something stand in every list of the operators."""
    own, now = {"organization": organization}, timezone.now()
    for number in range(2):
        factories.DeliveryFactory.create(**own, due_at=None, last_error="It crashed.")
        factories.DeliveryFactory.create(
            **own, opportunity_id=f"found-{number}", event="sweep", received_at=now
        )
        WebhookRejection.objects.create(**own, platform="lever", code=f"reason_{number}", count=5)
        DutyRun.objects.create(**own, duty=list(Duty)[number], failures=4)
        LinterFinding.objects.create(
            **own, digest=f"{number}", code="unknown_role", level="warning", message="A role is unknown."
        )
        Incident.objects.create(**own, code=["platform_down", "sweep_late"][number], began_at=now)
        AuditEntry.record(
            organization,
            "configure",
            AuditAction.CHANGE_POLICIES,
            AuditTarget(TargetKind.ORGANIZATION, 1, "Acme"),
        )
    CircuitBreaker.objects.create(**own, platform="lever", failures=2)


def opened(client: Client, page: str, link: str) -> int | None:
    """Return how many rows the list has that a page's link opens, on all its pages; None where it opens no list."""
    whole, fragment = urldefrag(urljoin(f"http://testserver{page}", link))
    address = urlsplit(whole)
    if not address.path.startswith(LISTS):
        return None
    answer = client.get(f"{address.path}?{address.query}")
    assert answer.status_code == 200, link
    opened_page = page_of(answer.content.decode())
    rows, further = row_count(opened_page, fragment), next_address(opened_page)
    return rows if rows is None or not further else rows + (opened(client, address.path, further) or 0)


@pytest.mark.parametrize("address", PAGES)
def test_a_number_is_that_of_the_list_it_opens(super_admin, super_admin_client, world, address):
    super_admin.is_staff = super_admin.is_superuser = True
    super_admin.save()
    links = number_links(page_of(super_admin_client.get(address).content.decode()))
    found = {link: opened(super_admin_client, address, link.address) for link in links}
    wrong = [
        f"“{link.text}” opens {rows} rows: {link.address}"
        for link, rows in found.items()
        if rows not in {None, link.number}
    ]
    assert wrong == []


def test_the_numbers_of_a_page_are_found_by_its_markup():
    """So that the test above can't pass because it sees nothing."""
    page = page_of(
        """<main><a href="?a"><span>Invited</span> <b>16</b> since 26 November 2026, 14:03</a>
        <li><a href="?b">Incidents, last 7 days</a> <span class="count">1,204</span></li>
        <nav class="pager"><a href="?page=2" rel="next">2</a></nav> <a href="?c">Stage change #93</a>
        <a href="?d">Last 30 days</a> <a href="?e">82 %</a></main>"""
    )
    assert [(link.number, link.address) for link in number_links(page)] == [(16, "?a"), (1204, "?b")]
    assert next_address(page) == "?page=2"
