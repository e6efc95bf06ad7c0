"""When the platforms last answered, and the check of the log."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.admin import pages
from integrations.admin.pages import answers_to
from integrations.audit import verification
from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import ApiCall, CircuitBreaker
from integrations.core.vocabulary import Platform
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.admin.conftest import Customer, sign_in
from tests.support import append_only, factories
from tests.support.factories import recorded


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


LOG = "admin:log"


def check(client, customer: Customer) -> str:
    answer = client.post(reverse(LOG), {"organization": customer.organization.slug})
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def test_a_whole_log_is_said_to_be_whole_and_the_check_is_recorded(acme: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    assert "Never" in client.get(reverse(LOG)).content.decode()
    assert "Whole: 3 positions, none changed, removed or added." in check(client, acme)
    entry = recorded().get(action="verify_log")
    assert entry.changes["result"][1].startswith("Whole: 3 positions")
    assert "Whole: 3 positions" in client.get(reverse(LOG)).content.decode()


def test_an_edited_row_is_named(acme: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    append_only.overwrite(recorded().filter(organization=acme.organization), actor_name="nobody")
    text = check(client, acme)
    assert "Not whole: 1" in text
    assert "its columns, its position or its hashes were changed" in text


def test_a_check_that_runs_out_of_time_says_how_far_it_came(
    acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    monkeypatch.setattr(pages, "CHECKED_FOR", timedelta(0))
    monkeypatch.setattr(verification, "LOOKS_AT_CLOCK", 2)
    text = check(client, acme)
    assert "Whole up to position 1. The rest was not checked in time." in text
    assert "verify_audit" in text


def test_the_page_needs_as_many_queries_for_many_organizations(
    acme: Customer, globex: Customer, django_assert_max_num_queries
) -> None:
    client = sign_in(None, is_superuser=True)
    for customer in (acme, globex):
        check(client, customer)
    with CaptureQueriesContext(connection) as of_two:
        text = client.get(reverse(LOG)).content.decode()
    assert text.count("Whole: 3 positions") == 2
    factories.OrganizationFactory.create_batch(5)
    with django_assert_max_num_queries(len(of_two)):
        client.get(reverse(LOG))


def test_few_of_many_faults_are_shown(acme: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    AuditEntry.objects.create(organization=acme.organization, actor_name="configure", action="replay")
    append_only.overwrite(recorded().filter(organization=acme.organization), actor_name="nobody")
    monkeypatch.setattr(pages, "SHOWN_FAULTS", 1)
    text = check(client, acme)
    assert "Not whole: 2" in text
    assert text.count("its columns, its position or its hashes were changed") == 1


def test_only_ones_own_logs_are_shown_and_checked(acme: Customer, globex: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    assert "Globex" not in client.get(reverse(LOG)).content.decode()
    for slug in ("globex", "", "nothing"):
        assert client.post(reverse(LOG), {"organization": slug}).status_code == 403
    assert not recorded().filter(action="verify_log").exists()


def test_an_operator_checks_the_log_of_the_whole_portal(acme: Customer) -> None:
    client = sign_in(None, is_superuser=True)
    text = client.post(reverse(LOG), {"organization": ""}).content.decode()
    assert "The whole portal" in text
    assert recorded().get(action="verify_log").organization is None
