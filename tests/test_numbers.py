"""Each number that a page shows with a link: the list that the link opens has as many rows."""

from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.test import Client

from integrations.organizations.models.organization import Organization
from tests.support.every_state import make_every_state
from tests.support.page_numbers import next_address, number_links, page_of, row_count

pytestmark = pytest.mark.slow

#: The pages whose numbers are compared.
PAGES = [
    "/",
    "/activity/",
    "/activity/?view=attention",
    "/reports/",
    "/reports/?by=assessment",
    "/reports/?by=origin",
    "/reports/?by=week",
    "/admin/",
]
#: Of the two pages of figures, how many are compared at least: tiles, and lines of the table.
LEAST = {"/": 10, "/reports/": 15}
#: Where a link leads to a list. Elsewhere, as under Settings, it leads to what can be done.
LISTS = ("/activity/", "/candidates/bulk/", "/audit/", "/admin/")


@pytest.fixture
def world(ready_organization: Organization) -> Organization:
    # owners are counted where a member uses who is on a candidate in Lever
    ready_organization.memberships.update(lists_own=True)
    return make_every_state(ready_organization)


def opened(client: Client, page: str, link: str) -> int | None:
    """Return how many rows the list has that a page's link opens, on all its pages; None where it opens no list."""
    whole, fragment = urldefrag(urljoin(f"http://testserver{page}", link))
    address = urlsplit(whole)
    if not address.path.startswith(LISTS):
        return None
    answer = client.get(f"{address.path}?{address.query}")
    assert answer.status_code == 200, link
    opened_page = page_of(answer.content.decode())
    rows, further = row_count(opened_page, fragment), next_address(opened_page)
    return rows if rows is None or not further else rows + (opened(client, address.path, further) or 0)


@pytest.mark.parametrize("address", PAGES)
def test_a_number_is_that_of_the_list_it_opens(super_admin, super_admin_client, world, address):
    super_admin.is_staff = super_admin.is_superuser = True
    super_admin.save()
    links = number_links(page_of(super_admin_client.get(address).content.decode()))
    found = {link: opened(super_admin_client, address, link.address) for link in links}
    wrong = [
        f"“{link.text}” opens {rows} rows: {link.address}"
        for link, rows in found.items()
        if rows not in {None, link.number}
    ]
    assert wrong == []
    assert len(links) >= LEAST.get(address, 1), len(links)
