"""The number of each thing that needs attention is that of the rows that its link opens."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.invitations.models.candidate import Candidate
from tests.pages.activity.test_candidate_filters import candidate
from tests.support import factories
from tests.support.page_numbers import page_of, row_count


def earlier(row: Candidate, status: str, **columns) -> None:
    """Let the candidate have two earlier invitations with this status, to other assessments."""
    for number in range(2):
        instance = {"instance_id": f"i-{row.pk}-{number}"} if columns.get("instance_id") else {}
        factories.InvitationFactory.create(
            organization=row.organization,
            opportunity_id=row.opportunity_id,
            assessment_id=f"earlier-{number}",
            status=status,
            created_at=timezone.now() - timedelta(days=2),
            **columns | instance,
        )


def failed(row: Candidate, kind: str, **columns) -> None:
    factories.EffectFactory.create(
        organization=row.organization,
        opportunity_id=row.opportunity_id,
        kind=kind,
        state="failed",
        due_at=None,
        **columns,
    )


def held(organization) -> None:
    candidate(organization, "Alder", "held_for_approval", "held")
    earlier(candidate(organization, "Birch", status="invited"), "held")


def uncertain(organization) -> None:
    earlier(candidate(organization, "Birch", status="invited"), "uncertain")


def not_sent(organization) -> None:
    row = candidate(organization, "Alder", status="failed")
    failed(row, "send_invitation", invitation=row.invitation)
    earlier(candidate(organization, "Birch", status="invited"), "failed")


def failed_steps(organization) -> None:
    not_sent(organization)
    row = candidate(organization, "Cedar", status="invited")
    failed(row, "leave_note")
    failed(row, "set_progress_tag")


def offered(organization) -> None:
    candidate(organization, "Alder", "entered_before")
    candidate(organization, "Birch", "entered_before", "withdrawn")
    factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id="o-birch",
        verdict="entered_before",
        decided_at=timezone.now(),
        due_at=None,
    )


@pytest.mark.parametrize(
    ("make", "numbers"),
    [
        (held, {"need approval": 2}),
        (uncertain, {"get the invitation? We don't know.": 1}),
        (not_sent, {"could not be sent an invitation": 2}),
        (failed_steps, {"could not be sent an invitation": 2, "steps failed": 2}),
        (offered, {"may be invited already": 2}),
    ],
)
def test_each_number_is_that_of_the_list_that_it_opens(super_admin_client, ready_organization, make, numbers):
    make(ready_organization)
    found: dict[str, tuple[str, int | None]] = {}
    for item in super_admin_client.get("/").context["attention"]:
        rows = row_count(page_of(super_admin_client.get(item.url).content.decode()))
        found |= {words: (item.title, rows) for words in numbers if item.title.endswith(words)}
    assert {words: rows for words, (_, rows) in found.items()} == numbers
    for title, rows in found.values():
        assert re.findall(r"\d+", title)[0] == str(rows)


def test_who_may_not_retry_is_led_to_see_who(limited_member, limited_member_client, ready_organization):
    failed_steps(ready_organization)
    for opportunity_id in ("o-alder", "o-cedar"):
        factories.on_candidate(ready_organization, opportunity_id, limited_member.email)
    items = limited_member_client.get("/").context["attention"]
    assert [(item.title, item.act) for item in items] == [
        ("1 candidate could not be sent an invitation", "See who"),
        ("2 steps failed", "See who"),
    ]
