"""Lists by time, and by a text in stored payloads."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from integrations.admin.filters import bounds_of, quarter_of
from integrations.inbox.models.delivery import Delivery
from integrations.members.models.membership import Membership
from tests.admin.conftest import Customer, sign_in
from tests.admin.test_scope import address
from tests.support import factories


@pytest.mark.parametrize(
    ("day", "first"),
    [
        (date(2026, 1, 1), date(2026, 1, 1)),
        (date(2026, 3, 31), date(2026, 1, 1)),
        (date(2026, 12, 31), date(2026, 10, 1)),
    ],
)
def test_a_quarter_begins_with_its_first_month(day: date, first: date) -> None:
    assert quarter_of(day) == first


def test_the_last_quarter_ends_where_this_one_begins() -> None:
    assert bounds_of("last_quarter")[1] == bounds_of("quarter")[0]
    assert bounds_of("no such period") == (None, None)


def numbers(client, query: str) -> set[int]:
    answer = client.get(address(Delivery, "changelist") + query)
    assert answer.status_code == 200
    return {row.pk for row in answer.context["cl"].result_list}


def test_rows_are_kept_by_period_and_by_dates(acme: Customer) -> None:
    client, now = sign_in(Membership.Role.TEAM_MEMBER, acme), acme.rows[Delivery].pk
    old = factories.DeliveryFactory.create(
        organization=acme.organization, received_at=datetime(2020, 5, 31, 23, 59, 59, tzinfo=UTC)
    ).pk
    week = factories.DeliveryFactory.create(
        organization=acme.organization, received_at=timezone.now() - timedelta(days=6)
    ).pk
    assert numbers(client, "?period=day") == {now}
    assert numbers(client, "?period=week") == {now, week}
    assert numbers(client, "?since=2020-05-31&until=2020-05-31") == {old}
    assert numbers(client, "?until=2020-05-30") == set()
    assert numbers(client, "?since=2020-05-31T23:59:59Z&until=2020-06-01") == {old}


def test_a_chosen_organization_holds_also_where_a_person_sees_only_one(
    acme: Customer, globex: Customer
) -> None:
    client, own = sign_in(Membership.Role.TEAM_MEMBER, acme), {acme.rows[Delivery].pk}
    assert numbers(client, f"?organization={acme.organization.pk}") == numbers(client, "") == own
    assert numbers(client, f"?organization={globex.organization.pk}") == set()
    assert numbers(client, "?organization=999999") == set()


@pytest.mark.parametrize("text", ["yesterday", "2020-13-01", "9999-12-31", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_date_leads_back_to_the_list(acme: Customer, text: str) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    answer = client.get(address(Delivery, "changelist"), {"until": text})
    assert answer.status_code == 302
