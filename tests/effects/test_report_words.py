"""What the report as a file says of a stored result."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from integrations.effects.report_words import is_report_of, report_file_name, report_words
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from tests.support import factories


@pytest.fixture
def invitation(organization):
    """A completed invitation with its dates."""
    return factories.InvitationFactory.create(
        organization=organization,
        candidate_name="Dr. Łucja Nowak",
        email="lucja@candidates.example",
        assessment_name="Backend",
        role_title="Backend Engineer",
        status="completed",
        instance_id="i1",
        invited_at=datetime(2026, 11, 24, 8, 12, tzinfo=UTC),
        completed_at=datetime(2026, 11, 24, 23, 30, tzinfo=UTC),
    )


def words(invitation, **columns):
    """Return the words of a result with these columns."""
    stated = {"outcome": "Failed", "score": Decimal("40.5"), "failure_reason": "Unit Tests", "rating": 2}
    result = Result.objects.create(invitation=invitation, **stated | columns)
    return report_words(invitation, result)


def test_the_words_are_those_of_the_stored_result(invitation):
    said = words(invitation, report_url="https://report.example/1", attempt=2)
    assert (said.outcome, said.result, said.score, said.rating) == (
        "Failed",
        "Failed",
        "40.5 of 100",
        "2 of 4",
    )
    assert (said.reason, said.report_url) == ("Unit Tests", "https://report.example/1")
    assert (said.assessment, said.role) == ("Backend (attempt 2)", "Backend Engineer")
    assert said.organization == invitation.organization.name
    assert said.reference == invitation.reference
    assert said.made_at == "2026-11-24T23:30:00+00:00"


def test_details_are_in_words(invitation):
    said = words(invitation, details_json='{"issueCount": 10, "languages": ["Go", "C"]}')
    assert said.details == [["issueCount", "10"], ["languages", "Go, C"]]
    assert said.values[-2:] == [("issueCount", "10"), ("languages", "Go, C")]
    assert words(invitation, attempt=2).details == []


def test_what_codescreen_does_not_state_is_not_guessed(invitation):
    said = words(invitation, outcome="", score=None, rating=None, failure_reason="")
    assert (said.outcome, said.result) == ("", "Not stated by CodeScreen")
    assert (said.score, said.rating, said.reason) == ("", "", "")


def test_dates_are_in_the_time_zone_of_the_organization(invitation):
    Organization.objects.update(time_zone="Europe/Warsaw")
    invitation.organization.refresh_from_db()
    said = words(invitation)
    assert said.dates == [["Invited", "24 Nov 2026, 09:12"], ["Completed", "25 Nov 2026, 00:30"]]
    assert said.zone == "Europe/Warsaw"


@pytest.mark.parametrize(("named", "name"), [(False, ""), (True, "Łucja")])
def test_the_first_name_is_there_only_when_the_rules_say_so(invitation, named, name):
    invitation.organization.report_names_candidate = named
    said = words(invitation)
    assert said.candidate == name
    assert "Nowak" not in str(said)
    assert "@" not in str(said)


@pytest.mark.parametrize(
    ("name", "first"), [("עומר כהן", ""), ("王 小明", "王"), ("Γιώργος Π.", "Γιώργος"), (" ", "")]
)
def test_a_name_that_is_not_known_or_that_no_font_shows_is_left_out(invitation, name, first):
    invitation.organization.report_names_candidate = True
    invitation.candidate_name = name
    assert words(invitation).candidate == first


def test_files_are_recognized_by_the_invitations_reference(invitation):
    other = factories.InvitationFactory.create(organization=invitation.organization)
    name = report_file_name(invitation, 3)
    assert name == f"codescreen-report-{invitation.reference}-3.pdf"
    assert is_report_of(invitation, name)
    assert not is_report_of(other, name)
