"""Two organizations with their Super Admins; one attacks the other. And the links in the mailbox."""

import re
from typing import NamedTuple

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.text import slugify

from integrations.members.models.membership import Membership, PendingMembership
from integrations.organizations.models.organization import Organization
from tests.support import factories
from tests.support.mailbox import sent_emails
from tests.support.second_factors import signed_in

INVITE = "/settings/team/"
PASSWORD = {"password1": "a long new secret", "password2": "a long new secret", "answer": "accept"}
ACCEPT = {"answer": "accept"}
_LINK = re.compile(r"http://testserver(/membership/\S+)")


class Owner(NamedTuple):
    """A Super Admin who is signed in."""

    organization: Organization
    user: User
    client: Client

    def invite(self, address: str, role: str = "super_admin") -> str:
        """Invite an address under Settings. Return the page that is shown."""
        answer = self.client.post(INVITE, {"email": address, "role": role}, follow=True)
        return answer.content.decode()

    def pending(self, address: str) -> PendingMembership:
        """Return the organization's invitation to that address."""
        return self.organization.pending_memberships.get(email=address)

    def link_to(self, address: str) -> str:
        """Let the workers send what is due. Return the path of this organization's link in the mailbox."""
        subject = f"{self.organization.name} invites you"
        [message] = [one for one in sent_emails(address) if one.subject.startswith(subject)]
        match = _LINK.search(str(message.body))
        assert match
        return match[1]


def owner_of(name: str) -> Owner:
    """Make an organization of that name with a Super Admin."""
    organization = factories.OrganizationFactory.create(slug=slugify(name), name=name)
    user = factories.member(organization, Membership.Role.SUPER_ADMIN, "owner")
    return Owner(organization, user, signed_in(user))


@pytest.fixture
def acme(db) -> Owner:
    return owner_of("Acme")


@pytest.fixture
def globex(db) -> Owner:
    return owner_of("Globex")


def mailed_links(address: str) -> list[str]:
    """Let the workers send what is due. Return the paths of the acceptance links that reached the address."""
    found = [_LINK.search(str(message.body)) for message in sent_emails(address)]
    return [match[1] for match in found if match]


def accept_as_new(link: str) -> Client:
    """Open the link in a fresh browser, choose a password and accept. Return the browser."""
    client = Client()
    answer = client.post(link, PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/"), answer.content.decode()
    return client
