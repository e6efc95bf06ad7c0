"""When the platforms last answered."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.admin.pages import answers_to
from integrations.clients.models import ApiCall, CircuitBreaker
from integrations.core.vocabulary import Platform
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.admin.conftest import Customer, sign_in
from tests.support import factories


def call(organization: Organization, minutes: int, **columns: object) -> ApiCall:
    values = {"platform": "lever", "method": "GET", "path": "/stages", "status": 200, "duration_ms": 100}
    values |= {"correlation_id": "c", "at": timezone.now() - timedelta(minutes=minutes)}
    return ApiCall.objects.create(organization=organization, **(values | columns))


@pytest.fixture
def organization(db: None) -> Organization:
    row: Organization = factories.OrganizationFactory.create()
    return row


def test_the_last_answer_and_the_median_are_those_of_the_platform(organization: Organization) -> None:
    for minutes, duration in ((5, 300), (6, 100), (7, 200)):
        call(organization, minutes, duration_ms=duration)
    call(organization, 1, status=None, error="no answer", duration_ms=10_000)
    call(organization, 2, status=503, duration_ms=9_000)
    latest = call(organization, 3, platform="codescreen", duration_ms=50)
    lever, codescreen = answers_to(organization)
    assert (lever.platform, lever.median_ms, lever.slowest_ms, lever.not_answered) == (
        Platform.LEVER,
        200,
        300,
        2,
    )
    assert lever.last_answer is not None
    assert lever.last_answer.duration_ms == 300
    assert (codescreen.last_answer, codescreen.median_ms) == (latest, 50)


def test_an_answer_that_came_again_counts_when_it_came_last(organization: Organization) -> None:
    now = timezone.now()
    polled = call(organization, 60, repeats=3, last_at=now)
    call(organization, 30)
    lever, codescreen = answers_to(organization)
    assert (lever.last_answer, lever.last_answer_at) == (polled, now)
    assert (codescreen.last_answer, codescreen.median_ms) == (None, None)


def test_a_platform_that_is_down_is_said_to_be(organization: Organization) -> None:
    CircuitBreaker.objects.create(organization=organization, platform="lever", failures=5)
    lever, codescreen = answers_to(organization)
    assert (lever.is_down, codescreen.is_down) == (True, False)


def test_people_see_the_answers_to_their_own_organizations(acme: Customer, globex: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    page = client.get(reverse("admin:answers"), {"organization": "globex"}).content.decode()
    assert "globex" not in page.lower()
    call(globex.organization, 1, path="/of-globex")
    operator = sign_in(None, is_superuser=True)
    page = operator.get(reverse("admin:answers"), {"organization": "globex"}).content.decode()
    assert "/of-globex" in page
    assert 'aria-current="page">Globex' in page
