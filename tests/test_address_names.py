"""Every address is tried as every role by its name: one without a name, or with another's, would be left out."""

import re
from collections import Counter

from tests.support import addresses

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
