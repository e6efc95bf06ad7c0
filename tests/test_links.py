"""Every link of the site and of the admin opens for whoever is shown it."""

from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve

from integrations.audit.models.entry import AuditAction
from integrations.audit.record import audit
from integrations.catalog.models import RoleMapping, Stage
from integrations.codescreen.models import CodeScreenConnection
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.admin.conftest import make_customer, sign_in
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
#: So many pages of the admin are more than the rows of its customer can have.
MANY = 600


def opened(client: Client, address: str) -> tuple[int, list[str]]:
    """Return the status that an address is answered with in the end, and the links in the main part of its page."""
    answer = client.get(address, follow=True)
    text = answer.getvalue().decode()  # which closes the file that an export holds open
    if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
        return answer.status_code, []
    anchors = page_of(text).found("a")
    return 200, [urldefrag(anchor.attributes.get("href", ""))[0] for anchor in anchors]


@pytest.mark.parametrize("role", [Membership.Role.TEAM_MEMBER, Membership.Role.ADMIN])
def test_every_link_of_the_site_is_open_to_who_sees_it(client_for, ready_organization, role):
    """There are candidates in every state, and what only Super Admins or Admins can correct."""
    make_every_state(ready_organization)
    Organization.objects.filter(pk=ready_organization.pk).update(paused=True, stage_on_pass="Nowhere")
    CodeScreenConnection.objects.update(state="refused", state_reason="HTTP 401")
    Stage.objects.update(name="Interview")
    client = client_for(factories.member(ready_organization, role, "reader"))
    links = {  # one for each view that a page leads to
        (page, resolve(address.path).view_name): f"{address.path}?{address.query}"
        for page in PAGES
        for link in opened(client, page)[1]
        if (address := urlsplit(urljoin(f"http://testserver{page}", link))).netloc == "testserver"
    }
    assert {link: on for (on, _), link in links.items() if opened(client, link)[0] == 403} == {}
    assert len(links) > len(PAGES)


@pytest.mark.parametrize("is_operator", [False, True])
def test_every_link_of_the_admin_opens_and_leads_to_no_broken_one(db, is_operator):
    """A person connected Lever; the log tells of a row that is gone, and of an account."""
    acme, owner = make_customer("acme"), User.objects.get(username="owner-acme")
    LeverConnection.objects.update(connected_by=owner)
    gone = RoleMapping.objects.create(organization=acme.organization, role="Designer", assessment="Backend")
    for row, action in (
        (acme.rows[RoleMapping], AuditAction.CHANGE_MAPPING),
        (gone, AuditAction.DELETE_MAPPING),
        (acme.rows[LeverConnection], AuditAction.CONNECT),
        (acme.rows[Membership], AuditAction.CHANGE_ROLE),
    ):
        audit(row, owner, action)
    audit(owner, owner, AuditAction.CHANGE_PASSWORD, organization=acme.organization)
    gone.delete()
    client = sign_in(None, is_superuser=True) if is_operator else sign_in("team_member", acme)
    found, waiting, broken = {"/admin/": ""}, ["/admin/"], {}
    while waiting and len(found) < MANY:
        address = waiting.pop()
        status, links = opened(client, address)
        if status != 200:
            broken[address] = found[address]
        for link in links:
            if link.startswith("/admin/") and link not in found:
                found[link] = address
                waiting.append(link)
    assert broken == {}
    assert len(found) < MANY
