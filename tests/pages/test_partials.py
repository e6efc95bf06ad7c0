"""Parts that update by themselves: the page's own address, rights and filters, and few queries."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.models import Result
from integrations.pages.overview import charts
from tests import factories

LIVE = {"checklist": "/", "overview": "/", "list": "/activity/", "health": "/health/"}


@pytest.mark.parametrize(("part", "url"), LIVE.items())
def test_a_part_is_a_fragment_of_the_page(
    super_admin_client, ready_organization, part, url, django_assert_max_num_queries
):
    whole = super_admin_client.get(url)
    with django_assert_max_num_queries(60):
        answer = super_admin_client.get(url, headers={"X-Live-Part": part})
    fragment = answer.content.decode()
    assert "<html" not in fragment
    assert "data-say=" in fragment or part == "overview"
    assert "no-store" in answer["Cache-Control"]
    assert "X-Live-Part" in whole["Vary"]
    assert "<html" in whole.content.decode()


def test_an_unknown_part_is_the_whole_page(super_admin_client, organization):
    assert "<html" in super_admin_client.get("/", headers={"X-Live-Part": "../secrets"}).content.decode()


def test_the_list_keeps_its_filters(super_admin_client, organization):
    factories.InvitationFactory.create(organization=organization, status="held", candidate_name="Held One")
    factories.InvitationFactory.create(organization=organization, candidate_name="Other One")
    answer = super_admin_client.get("/activity/", {"status": "held"}, headers={"X-Live-Part": "list"})
    page = answer.content.decode()
    assert "Held One" in page
    assert "Other One" not in page


def test_a_stranger_gets_no_part(stranger_client, organization):
    factories.InvitationFactory.create(organization=organization, opportunity_id="o-1")
    url = reverse("candidate", args=["o-1"])
    assert stranger_client.get(url, headers={"X-Live-Part": "timeline"}).status_code == 404


def test_the_checklist_part_turns_into_the_way_on(super_admin_client, ready_organization):
    def part() -> str:
        return super_admin_client.get("/", headers={"X-Live-Part": "checklist"}).content.decode()

    assert "6 of 7 steps are done" in part()
    factories.InvitationFactory.create(organization=ready_organization, status="invited", instance_id="i-1")
    assert "All 7 steps are done" in part()


def test_the_last_step_says_what_became_of_the_latest_stage_change(super_admin_client, ready_organization):
    factories.DeliveryFactory.create(
        organization=ready_organization,
        verdict="no_email",
        explanation="The candidate has no e-mail address in Lever.",
        decided_at=timezone.now(),
        due_at=None,
    )
    page = " ".join(super_admin_client.get("/").content.decode().split())
    assert "The latest stage change: The candidate has no e-mail address in Lever. Add an e-mail" in page


def test_pictures_count_days_and_have_a_table(super_admin_client, ready_organization):
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
        factories.DeliveryFactory.create(
            organization=ready_organization,
            verdict="invite",
            invitation=row,
            received_at=then - timedelta(seconds=4),
            decided_at=then,
            due_at=None,
        )
        Result.objects.create(invitation=row, outcome=outcome, created_at=then)
    invitations, outcomes, waits = charts.charts(ready_organization)
    assert invitations.summary == "3 in 14 days"
    assert outcomes.summary == "1 passed, 1 failed, 1 result not stated in 14 days"
    assert waits.summary == "Median 4.0 s"
    assert [cells for _, cells in invitations.rows][-2:] == [("2",), ("1",)]
    page = super_admin_client.get("/").content.decode()
    assert page.count("<figure") == 3
    assert "As a table" in page
    assert "style=" not in page


def test_pictures_are_ones_own_and_need_three_queries(
    ready_organization, stranger, django_assert_num_queries
):
    other = stranger.memberships.get().organization
    factories.InvitationFactory.create(
        organization=other, status="invited", instance_id="x", invited_at=timezone.now()
    )
    with django_assert_num_queries(3):
        drawn = charts.charts(ready_organization)
    assert not any(chart.bars for chart in drawn)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.24, "0.2 s"), (45, "45 s"), (600, "10 min"), (10_000, "3 h"), (400_000, "5 days")],
)
def test_spans_are_spoken(seconds, words):
    assert charts.duration(seconds) == words
