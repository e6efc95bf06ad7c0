"""No page offers a person a link that their role may not follow, or an act that it doesn't allow."""

from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.urls import resolve

from integrations.catalog.models import Stage
from integrations.codescreen.models import CodeScreenConnection
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.support import factories
from tests.support.every_state import make_every_state
from tests.support.page_numbers import page_of

pytestmark = pytest.mark.slow

PAGES = [
    "/",
    "/activity/",
    "/activity/?view=attention",
    "/activity/?view=not_invited&reason=entered_before",
    "/reports/",
    "/mappings/",
    "/settings/",
    "/help/",
    "/activity/opportunity-ab/",
]


@pytest.fixture
def world(ready_organization: Organization) -> Organization:
    """An organization with candidates in every state, and with what only Super Admins or Admins can correct."""
    make_every_state(ready_organization)
    Organization.objects.filter(pk=ready_organization.pk).update(paused=True, stage_on_pass="Nowhere")
    CodeScreenConnection.objects.update(state="refused", state_reason="HTTP 401")
    Stage.objects.update(name="Interview")
    return ready_organization


@pytest.mark.parametrize("role", [Membership.Role.TEAM_MEMBER, Membership.Role.ADMIN])
def test_every_link_is_open_to_who_sees_it(client_for, world, role):
    client = client_for(factories.member(world, role, "reader"))
    links = {}  # one for each view that a page leads to
    for page in PAGES:
        for anchor in page_of(client.get(page).content.decode()).found("a"):
            address = urlsplit(
                urldefrag(urljoin(f"http://testserver{page}", anchor.attributes.get("href", "")))[0]
            )
            if address.netloc == "testserver":
                links[page, resolve(address.path).view_name] = f"{address.path}?{address.query}"
    closed = {}
    for on, link in links.items():
        answer = client.get(link)
        assert b"".join(answer)  # closes the file that an export holds open
        if answer.status_code == 403:
            closed[link] = on
    assert closed == {}
    assert len(links) > len(PAGES)
