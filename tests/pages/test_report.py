"""The report: what became of the invitations of a period."""

import csv
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from integrations.catalog.models import Role
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.result import Result
from integrations.pages.activity.candidate_filters import Became
from integrations.pages.report import (
    ALL,
    DEFAULT_DAYS,
    MOST_DAYS,
    By,
    Period,
    asked_period,
    report_of,
)
from portal.templatetags.parts import lasting
from tests.support import factories

TODAY, LAST = timezone.localdate(), date(2026, 3, 1)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ({}, TODAY - timedelta(days=DEFAULT_DAYS - 1), TODAY),
        ({"since": "soon", "until": ""}, TODAY - timedelta(days=DEFAULT_DAYS - 1), TODAY),
        ({"until": "0001-01-01"}, TODAY - timedelta(days=DEFAULT_DAYS - 1), TODAY),
        ({"until": "9999-12-31"}, TODAY - timedelta(days=DEFAULT_DAYS - 1), TODAY),
        ({"since": "2026-01-31", "until": "2026-03-01"}, date(2026, 1, 31), LAST),
        ({"since": "1990-01-01", "until": "2026-03-01"}, LAST - timedelta(days=MOST_DAYS - 1), LAST),
        ({"since": "2026-03-02", "until": "2026-03-01"}, LAST, LAST),
    ],
)
def test_the_period_is_that_of_the_address_within_bounds_else_the_last_ninety_days(asked, first, last):
    assert asked_period(asked) == Period(first, last)


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
    row = factories.InvitationFactory.create(organization=organization, **values)
    factories.CandidateFactory.create(
        organization=organization,
        opportunity_id=row.opportunity_id,
        role_id="",
        role_title=row.role_title,
        assessment_name=row.assessment_name,
        invitation=row,
        entered_at=row.created_at,
    )
    return row


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


def counts(figures) -> dict[str, int]:
    return {became.name: number for became, number in figures.counts.items()}


def sent_by(by: By, report) -> dict[str, int]:
    """Return how many were invited, by the names of a table's lines."""
    return {name: figures.counts[Became.SENT] for (of, name), figures in report.items() if of is by}


def test_the_figures_count_what_became_of_those_invited_in_the_period(
    journeys, stranger, django_assert_num_queries
):
    other = stranger.memberships.get().organization
    complete(other, 1, "Passed")
    with django_assert_num_queries(3):
        report = report_of(journeys, asked_period({}))
    assert counts(report[ALL]) == {
        "SENT": 7,
        "STARTED": 4,
        "FINISHED": 5,
        "PASSED": 2,
        "FAILED": 1,
        "EXPIRED": 1,
        "NOT_STATED": 1,
        "NOT_STARTED": 2,
    }
    assert report[ALL].pass_percent == 50
    assert [(lasting(one.median), lasting(one.most)) for one in report[ALL].times.values() if one] == [
        ("6 hours", "6 hours"),
        ("8 hours", "8 hours"),
    ]
    assert set(sent_by(By.ROLE, report)) == {"Backend Engineer", "=Data", "none"}
    assert set(sent_by(By.ASSESSMENT, report)) == {"Backend", "Data"}


def test_a_candidate_with_two_assessments_counts_once_together_and_in_each(ready_organization):
    first = complete(ready_organization, 1, "Passed")
    factories.InvitationFactory.create(
        organization=ready_organization,
        opportunity_id=first.opportunity_id,
        assessment_id="design",
        assessment_name="System Design",
        status="invited",
        instance_id="instance-2",
        invited_at=timezone.now(),
    )
    report = report_of(ready_organization, asked_period({}))
    assert counts(report[ALL]) == {"SENT": 1, "STARTED": 1, "FINISHED": 1, "PASSED": 1}
    assert sent_by(By.ASSESSMENT, report) == {"Backend": 1, "System Design": 1}


def test_a_candidate_counts_by_source_and_a_renamed_role_is_one_line(ready_organization):
    for number, (title, origin) in enumerate(
        (("Backend Engineer", "agency"), ("Platform Engineer", "agency"), ("Platform Engineer", ""))
    ):
        row = invite(ready_organization, number, role_title=title)
        own = Candidate.objects.filter(opportunity_id=row.opportunity_id)
        own.update(origin=origin, role_id="role-1")
    Role.objects.create(organization=ready_organization, external_id="role-1", title="Platform Engineer")
    report = report_of(ready_organization, asked_period({}))
    assert sent_by(By.ORIGIN, report) == {"agency": 2, "none": 1}
    assert sent_by(By.ROLE, report) == {"Platform Engineer": 3}


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([("role-platform", ""), ("", "")], {"Platform ": 1, "none": 1}),
        ([("role-platform", "Backend"), ("role-hidden", "Backend")], {"Platform ": 1, "Backend": 1}),
        ([("role-platform", "Platform "), ("role-hidden", "Platform ")], {"Platform ": 2}),
        ([("role-untitled", "Backend"), ("", "")], {"Backend": 1, "none": 1}),
    ],
    ids=["shown later", "renamed", "one hidden", "untitled"],
)
def test_the_list_of_a_role_has_those_whom_the_report_counts(
    team_member_client, ready_organization, rows, lines
):
    for role, title in (("role-platform", "Platform "), ("role-untitled", "")):
        Role.objects.create(organization=ready_organization, external_id=role, title=title)
    for number, (role, title) in enumerate(rows):
        row = invite(ready_organization, number, role_title=title)
        Candidate.objects.filter(opportunity_id=row.opportunity_id).update(role_id=role)
    context = team_member_client.get("/reports/?by=role").context
    assert sent_by(By.ROLE, report_of(ready_organization, context["period"])) == lines
    for row in context["rows"]:
        listed = team_member_client.get(row.figures[0].url).context["page"].paginator.count
        assert listed == row.figures[0].number


def test_who_started_and_finished_between_two_polls_has_started(ready_organization):
    """The published API tells of no start: then the invitation has no time of it."""
    row = invite(ready_organization, 1, status="completed", completed_at=timezone.now())
    Result.objects.create(invitation=row, score=82)
    figures = report_of(ready_organization, asked_period({}))[ALL]
    assert (figures.counts[Became.STARTED], figures.counts[Became.NOT_STARTED]) == (1, 0)
    assert [one is None for one in figures.times.values()] == [True, False]
    assert figures.pass_percent is None


def test_a_week_begins_on_monday_at_midnight_of_the_reader(ready_organization):
    with timezone.override("Europe/Berlin"):
        at = datetime.fromisoformat("2026-03-01T23:30:00+00:00")
        invite(ready_organization, 1, created_at=at, invited_at=at)
        period = asked_period({"since": "2026-03-02", "until": "2026-03-31"})
        assert sent_by(By.WEEK, report_of(ready_organization, period)) == {"2026-03-02": 1}


@pytest.mark.parametrize(
    ("asked", "label", "line"),
    [("", "Role", "No role"), ("?by=nothing", "Role", "=Data"), ("?by=assessment", "Assessment", "Data")],
)
def test_the_page_shows_the_table_that_is_asked_for(team_member_client, journeys, asked, label, line):
    page = team_member_client.get(f"/reports/{asked}").content.decode()
    assert page.count("<table") == 1
    assert f'<th scope="col">{label}</th>' in page
    assert f'<th scope="row">{line}</th>' in page
    assert f'by={label.lower()}">Export as CSV' in page


def test_the_page_says_which_share_passed_and_that_nobody_was_invited(team_member_client, journeys):
    empty = team_member_client.get("/reports/?since=2020-01-01&until=2020-02-01").content.decode()
    assert "Nobody was invited in this period" in empty
    assert "50 % passed" in team_member_client.get("/reports/?by=assessment").content.decode()


def test_the_file_has_each_line_of_the_table_and_no_formula(team_member_client, journeys):
    answer = team_member_client.get("/reports/export/?by=role")
    rows = list(csv.reader(answer.getvalue().decode("utf-8-sig").splitlines()))
    assert rows[0][:3] == ["role", "invited", "started"]
    lines = {row[0]: row[1:] for row in rows[1:]}
    assert lines["'=Data"] == ["1", "1", "0", "1", "0", "1", "0", "0", "6.0", "6.0", "8.0", "8.0"]
    assert lines["No role"][8:] == ["", "", "", ""]
    assert sum(int(row[1]) for row in rows[1:]) == 7
