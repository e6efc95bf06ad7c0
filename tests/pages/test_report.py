"""The report: what became of the invitations of a period."""

import csv
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from integrations.invitations.models.result import Result
from integrations.pages.report_figures import Period, asked_period, report_lines, report_of
from tests.support import factories


def invite(organization, number: int, **values):
    now = timezone.now()
    values = {
        "role_title": "Backend Engineer",
        "assessment_name": "Backend",
        "status": "invited",
        "instance_id": f"instance-{number}",
        "created_at": now - timedelta(days=2),
        "invited_at": now - timedelta(days=2),
    } | values
    return factories.InvitationFactory.create(organization=organization, **values)


def complete(organization, number: int, outcome: str, **values):
    sent = values.get("invited_at", timezone.now() - timedelta(days=2))
    row = invite(
        organization,
        number,
        status="completed",
        started_at=sent + timedelta(hours=6),
        completed_at=sent + timedelta(hours=8),
        **values,
    )
    Result.objects.create(invitation=row, outcome=outcome)
    return row


@pytest.fixture
def journeys(ready_organization):
    complete(ready_organization, 1, "Passed")
    complete(ready_organization, 2, "Failed", role_title="=Data", assessment_name="Data")
    complete(ready_organization, 3, "")
    regraded = complete(ready_organization, 4, "Failed")
    Result.objects.create(invitation=regraded, attempt=2, outcome="Passed")
    invite(ready_organization, 5, following_ended="not_started", following_ended_at=timezone.now())
    invite(ready_organization, 6, role_title="")
    never_started = invite(
        ready_organization, 9, status="completed", completed_at=timezone.now(), started_at=None
    )
    Result.objects.create(invitation=never_started, outcome="Expired")
    invite(ready_organization, 7, status="held", instance_id="", invited_at=None)
    old = timezone.now() - timedelta(days=200)
    complete(ready_organization, 8, "Passed", created_at=old, invited_at=old)
    return ready_organization


def test_the_figures_count_what_became_of_those_invited_in_the_period(
    journeys, stranger, django_assert_num_queries
):
    other = stranger.memberships.get().organization
    complete(other, 1, "Passed")
    with django_assert_num_queries(1):
        lines = report_lines(journeys, asked_period({})[0])
    figures = report_of(journeys, asked_period({})[0]).total
    assert (figures.sent, figures.started, figures.completed, figures.no_shows) == (7, 4, 5, 2)
    assert (figures.passed, figures.failed, figures.expired, figures.unstated) == (2, 1, 1, 1)
    assert figures.pass_percent == 50
    assert figures.seconds_to_start == pytest.approx(6 * 3600)
    assert figures.seconds_to_finish == pytest.approx(2 * 3600)
    assert {(role, assessment) for role, assessment, _ in lines} == {
        ("Backend Engineer", "Backend"),
        ("=Data", "Data"),
        ("", "Backend"),
    }


def test_who_started_and_finished_between_two_polls_has_started(ready_organization):
    """The published API tells of no start: then the invitation has no time of it."""
    row = invite(ready_organization, 1, status="completed", completed_at=timezone.now())
    Result.objects.create(invitation=row, score=82)
    figures = report_of(ready_organization, asked_period({})[0]).total
    assert (figures.sent, figures.started, figures.no_shows) == (1, 1, 0)
    assert figures.seconds_to_start is None


def test_a_month_begins_at_midnight_of_the_reader(ready_organization):
    with timezone.override("Europe/Berlin"):
        invite(
            ready_organization,
            1,
            created_at=datetime.fromisoformat("2026-02-28T23:30:00+00:00"),
            invited_at=datetime.fromisoformat("2026-02-28T23:30:00+00:00"),
        )
        period = asked_period({"since": "2026-03-01", "until": "2026-03-31"})[0]
        ((_, _, month),) = report_lines(ready_organization, period)
    assert f"{month:%Y-%m-%d}" == "2026-03-01"


def test_the_page_shows_tables(team_member_client, journeys):
    page = team_member_client.get("/reports/").content.decode()
    assert page.count("<table") == 3
    assert "By role" in page
    assert "No role" in page
    assert "50 %" in page
    assert "style=" not in page


def test_the_page_says_what_to_do_when_nobody_was_invited(team_member_client, ready_organization):
    page = team_member_client.get("/reports/?since=2020-01-01&until=2020-02-01").content.decode()
    assert "Nobody was invited in this period" in page
    assert "<table" not in page


def test_the_file_has_one_line_per_month_role_and_assessment_and_no_formula(team_member_client, journeys):
    answer = team_member_client.get("/reports/export/")
    rows = list(csv.reader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    assert rows[0][:4] == ["month", "role", "assessment", "invited"]
    by_role = {row[1]: row for row in rows[1:]}
    assert by_role["'=Data"][3:8] == ["1", "1", "1", "0", "1"]
    assert by_role[""][11:] == ["", ""]
    assert sum(int(row[3]) for row in rows[1:]) == 7


def test_the_page_is_shown_while_redis_is_unavailable(team_member_client, journeys, settings):
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    assert "By role" in team_member_client.get("/reports/").content.decode()


def test_figures_are_counted_anew_when_stored_ones_have_no_readable_month(team_member_client, journeys):
    team_member_client.get("/reports/")
    period = asked_period({})[0]
    key = f"report:{journeys.pk}:{period.first}:{period.last}:{timezone.get_current_timezone_name()}"
    stored = cache.get(key)
    cache.set(key, stored | {"months": [["no date", figures] for _, figures in stored["months"]]})
    assert "By month" in team_member_client.get("/reports/").content.decode()


def test_figures_without_results_have_no_share_of_those_who_passed(ready_organization):
    today = timezone.localdate()
    invite(ready_organization, 1)
    figures = report_of(ready_organization, Period(today - timedelta(days=5), today)).total
    assert (figures.pass_percent, figures.seconds_to_start, figures.seconds_to_finish) == (None, None, None)
