"""Pages show times in the browser's zone, else the organization's, and name the zone."""

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from allauth.usersessions.models import UserSession
from django.utils import timezone

from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.audit.record import audit
from tests.support import append_only, factories
from tests.support.factories import recorded
from tests.support.page_text import text

# half past ten at night in UTC is the next day in Auckland, and still the same afternoon in New York
LATE = datetime(2027, 3, 3, 22, 30, 15, tzinfo=UTC)


@pytest.fixture
def _late():
    with patch("django.utils.timezone.now", return_value=LATE):
        yield


@pytest.fixture
def entry(organization, super_admin) -> AuditEntry:
    target = AuditTarget(TargetKind.ORGANIZATION, organization.pk, organization.name)
    audit(
        target, super_admin, AuditAction.CHANGE_POLICIES, {"bulk_limit": (50, 7)}, organization=organization
    )
    append_only.overwrite(recorded().all(), at=LATE)
    return recorded().get()


def test_times_are_in_the_browsers_zone_with_utc_in_the_tooltip(super_admin_client, entry):
    super_admin_client.cookies["time_zone"] = "Pacific/Auckland"
    page = text(super_admin_client.get("/audit/"))
    assert (
        '<time datetime="2027-03-03T22:30:15Z" title="4 March 2027, 11:30:15 in Pacific/Auckland · '
        '3 March 2027, 22:30:15 UTC">4 Mar 2027, 11:30' in page
    )
    assert "Times are in Pacific/Auckland." in page
    assert timezone.get_current_timezone_name() == "UTC"  # the thread's zone is restored


@pytest.mark.parametrize("name", ["Nowhere/City", "../../etc/passwd", "localtime", "Europe", "x" * 4000])
def test_an_unknown_zone_is_ignored(super_admin_client, entry, name):
    super_admin_client.cookies["time_zone"] = name
    page = text(super_admin_client.get("/audit/"))
    assert "Times are in UTC" in page
    assert name not in page or name == "Europe"


def test_without_a_cookie_times_are_in_the_organizations_zone(super_admin_client, organization, entry):
    organization.time_zone = "Europe/Warsaw"
    organization.save()
    assert "Times are in Europe/Warsaw." in text(super_admin_client.get("/audit/"))
    organization.time_zone = "Europe/Nowhere"
    organization.save()
    assert "Times are in UTC" in text(super_admin_client.get("/audit/"))


@pytest.mark.usefixtures("_late")
def test_today_begins_at_the_readers_midnight(super_admin_client, organization):
    UserSession.objects.update(created_at=LATE, last_seen_at=LATE)
    early = datetime(2027, 3, 3, 1, 0, tzinfo=UTC)
    factories.CandidateFactory.create(organization=organization, opportunity_id="o-1")
    factories.InvitationFactory.create(
        organization=organization,
        opportunity_id="o-1",
        invited_at=early,
        changed_at=early,
        status="invited",
        instance_id="i",
    )
    assert super_admin_client.get("/").context["today"][1].number == 1
    super_admin_client.cookies["time_zone"] = "Pacific/Auckland"  # where that was yesterday
    assert super_admin_client.get("/").context["today"][1].number == 0
