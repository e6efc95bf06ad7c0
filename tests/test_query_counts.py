"""Pages and lists need so many queries and no more, however many rows there are."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from tests.support import factories

pytestmark = pytest.mark.django_db

#: The most queries of each page, the session's and the membership's included.
PAGES = {
    "/": 66,
    "/help/": 4,
    "/help/team/": 4,
    "/activity/": 12,
    "/activity/?q=Alder": 11,
    "/activity/?view=attention": 9,
    "/activity/?status=held": 9,
    "/activity/opportunity-1/": 20,
    "/activity/opportunity-1/?show=technical": 21,
    "/audit/": 10,
    "/settings/": 17,
    "/settings/rules/": 7,
    "/settings/notifications/": 6,
    "/settings/team/": 7,
    "/mappings/": 29,
    "/mappings/add/": 11,
    "/reports/": 8,
}
LISTS = (
    "delivery",
    "verdict",
    "invitation",
    "effect",
    "apicall",
    "result",
    "auditentry",
    "opportunityperson",
)
MOST_OF_A_LIST = 11
MOST_OF_THE_INDEX = 14


@pytest.fixture
def rows(ready_organization: Organization) -> Organization:
    """Three candidates with an invitation, a delivery and an effect each; the first had ten more rounds."""
    own: dict[str, Any] = {"organization": ready_organization}
    for number in range(1, 4):
        about = own | {"opportunity_id": f"opportunity-{number}"}
        about |= {"invitation": factories.InvitationFactory.create(**about)}
        decided = {"verdict": "invite", "decided_at": timezone.now(), "due_at": None}
        delivery = factories.DeliveryFactory.create(**about, **decided)
        factories.CandidateFactory.create(**about, delivery=delivery)
        factories.EffectFactory.create(**about, delivery=delivery)
    for number in range(2, 12):
        again = factories.in_status(
            ready_organization,
            "completed",
            opportunity_id="opportunity-1",
            round=number,
            instance_id=f"{number}",
        )
        Result.objects.create(invitation=again, outcome="Failed", score=number)
        factories.EffectFactory.create(**own, invitation=again)
        factories.ApiCallFactory.create(**own, opportunity_id="opportunity-1", path=f"/{number}")
    return ready_organization


def count(client: Client, address: str) -> int:
    client.get(address)  # fills caches
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_a_page_needs_no_more_queries_than_it_does_now(
    super_admin_client: Client, rows: Organization
) -> None:
    counts = {address: count(super_admin_client, address) for address in PAGES}
    assert {address: number for address, number in counts.items() if number > PAGES[address]} == {}


def test_a_list_of_the_admin_needs_no_more_queries_than_it_does_now(
    admin_client: Client, rows: Organization
) -> None:
    for name in LISTS:
        address = f"/admin/integrations/{name}/"
        assert count(admin_client, address) <= MOST_OF_A_LIST, name
        assert count(admin_client, f"{address}?q=opportunity-1") <= MOST_OF_A_LIST + 3, name


def test_the_first_page_of_the_admin_counts_what_waits_once(admin_client: Client, rows: Organization) -> None:
    assert count(admin_client, "/admin/") <= MOST_OF_THE_INDEX
