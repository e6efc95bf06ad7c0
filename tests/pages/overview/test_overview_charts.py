"""The overview's charts: counts by day, the table of the same numbers, and durations."""

from datetime import timedelta

from django.utils import timezone

from integrations.invitations.models.result import Result
from integrations.pages.overview import overview
from integrations.pages.overview.attention import today
from tests.support import factories


def test_charts_count_by_day_and_have_a_table(super_admin_client, ready_organization):
    now = timezone.now()
    for days, outcome in ((0, "Passed"), (1, "Failed"), (1, ""), (20, "Passed")):
        then = now - timedelta(days=days)
        row = factories.InvitationFactory.create(
            organization=ready_organization,
            status="completed",
            instance_id=f"i-{days}-{outcome}",
            created_at=then,
            invited_at=then,
        )
        factories.CandidateFactory.create(organization=ready_organization, invitation=row)
        factories.DeliveryFactory.create(
            organization=ready_organization,
            verdict="invite",
            invitation=row,
            received_at=then - timedelta(seconds=4),
            decided_at=then,
            due_at=None,
        )
        Result.objects.create(invitation=row, outcome=outcome, created_at=then)
    invitations, outcomes, waits = overview.charts(ready_organization.memberships.get())
    assert invitations.summary == "3 sent"
    assert outcomes.summary == "1 passed, 1 failed, 1 result not stated"
    assert waits.summary == "Median 4.0 s"
    assert [cells for _, cells in invitations.rows][-2:] == [("2",), ("1",)]
    page = super_admin_client.get("/").content.decode()
    assert page.count("<figure") == 3
    assert "As a table" in page
    assert "style=" not in page


def test_a_candidate_is_counted_once_by_the_latest_attempt(ready_organization, team_member):
    row = factories.InvitationFactory.create(
        organization=ready_organization,
        opportunity_id="o-1",
        status="completed",
        instance_id="i",
        invited_at=timezone.now(),
    )
    factories.CandidateFactory.create(organization=ready_organization, opportunity_id="o-1")
    Result.objects.create(invitation=row, outcome="Failed")
    Result.objects.create(invitation=row, attempt=2, outcome="Passed")
    member = team_member.memberships.get()
    _, outcomes, _ = overview.charts(member)
    assert outcomes.summary == "1 passed"
    numbers = {tile.label: tile.number for tile in today(member).tiles}
    assert (numbers["Passed"], numbers["Failed"]) == (1, 0)


def test_charts_show_only_the_own_organization_and_take_three_queries(
    ready_organization, team_member, stranger, django_assert_num_queries
):
    member = team_member.memberships.get()
    other = stranger.memberships.get().organization
    factories.InvitationFactory.create(
        organization=other, status="invited", instance_id="x", invited_at=timezone.now()
    )
    with django_assert_num_queries(3):
        drawn = overview.charts(member)
    assert not any(chart.bars for chart in drawn)
