"""Every address is tried as every role by its name: one without a name, or with another's, would be left out."""

import re
from collections import Counter

import pytest

from integrations.inbox.models.delivery import Delivery
from tests.support import addresses, factories

#: Redirects, and a 404 of the admin.
WITHOUT_A_NAME = [
    r"admin/login/",
    r"admin/password_change/",
    r"admin/\w+/\w+/<path:object_id>/",
    re.escape(r"admin/(?P<url>.*)$"),
]


def test_only_redirects_have_no_name() -> None:
    found = [
        route
        for route in addresses.unnamed()
        if not any(re.fullmatch(known, route) for known in WITHOUT_A_NAME)
    ]
    assert found == [], "give these addresses a name, so that every role is tried there"


def test_no_two_addresses_share_a_name() -> None:
    counts = Counter(name for name, _ in addresses.patterns())
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("who", ["client", "stranger_client", "team_member_client", "super_admin_client"])
def test_the_admins_addresses_without_a_name_show_nothing(request, organization, who: str) -> None:
    delivery: Delivery = factories.DeliveryFactory.create(organization=organization)
    client = request.getfixturevalue(who)
    for path in (
        "/admin/login/",
        "/admin/password_change/",
        f"/admin/integrations/delivery/{delivery.pk}/",
        "/admin/nothing/",
    ):
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code in {301, 302, 403, 404, 405}, path
