"""Every link of the admin opens for whoever is shown it."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from integrations.audit.models.entry import AuditAction
from integrations.audit.record import audit
from integrations.catalog.models import RoleMapping
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from tests.admin.conftest import Customer, sign_in

pytestmark = pytest.mark.slow

#: So many pages are more than the rows of the fixture can have.
MANY = 600


def broken_links(client: Client) -> dict[str, str]:
    """Return the links that don't open, each with the page that has it: all that can be reached from the first page."""
    found = {"/admin/": ""}
    waiting, broken = ["/admin/"], {}
    while waiting and len(found) < MANY:
        address = waiting.pop()
        answer = client.get(address, follow=True)
        if answer.status_code != 200:
            broken[address] = found[address]
            continue
        content = answer.content.decode().split("<main", 1)[1]
        for link in map(unescape, re.findall(r'href="(/admin/[^"#]*)"', content)):
            if link not in found:
                found[link] = address
                waiting.append(link)
    assert len(found) < MANY
    return broken


@pytest.fixture
def records(acme: Customer) -> Customer:
    """Acme, where a person connected Lever, and where the log tells of rows that are gone and of an account."""
    owner = User.objects.get(username="owner-acme")
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
    return acme


def test_each_link_opens_for_a_member_who_is_no_superuser(records: Customer) -> None:
    assert broken_links(sign_in("team_member", records)) == {}


def test_each_link_opens_for_an_operator(records: Customer) -> None:
    assert broken_links(sign_in(None, is_superuser=True)) == {}
