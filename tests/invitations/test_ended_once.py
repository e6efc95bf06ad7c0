"""What two requests end at the same time is recorded and told once."""

import pytest

from integrations.members.acts import invitations, members
from integrations.members.models.membership import Membership
from integrations.single_sign_on.acts import identities
from integrations.single_sign_on.acts.domains import remove_domain
from integrations.single_sign_on.models import IdentityProvider, ProviderIdentity, SignInDomain
from tests.support import factories
from tests.support.factories import recorded


@pytest.fixture
def leaver(organization, super_admin):
    return Membership.objects.get(user=factories.member(organization, "admin", "dora"))


def actions() -> list[str]:
    return list(recorded().order_by("pk").values_list("action", flat=True))


def read_twice(row):
    return [type(row).objects.get(pk=row.pk) for _ in range(2)]


def test_a_member_leaves_once(leaver):
    for member in read_twice(leaver):
        invitations.leave(member)
    assert actions() == ["leave"]


def test_a_member_is_removed_once(leaver):
    for member in read_twice(leaver):
        members.remove_member(member, "operator")
    assert actions() == ["remove_member"]


def test_a_domain_is_removed_once(organization):
    domain = SignInDomain.objects.create(organization=organization, domain="acme.example")
    for row in read_twice(domain):
        remove_domain(row, "operator")
    assert actions() == ["remove_domain"]


def test_a_person_is_unbound_once(organization, leaver):
    provider = IdentityProvider.objects.create(organization=organization, issuer="https://id.example")
    identity = ProviderIdentity.objects.create(provider=provider, user=leaver.user, subject="s")
    for row in read_twice(identity):
        identities.unbind(row, "operator")
    assert actions() == ["unbind_identity"]
