"""An invited person, vouched for by the organization's provider, accepts or declines."""

import pytest
from django.contrib.auth.models import User

from integrations.audit.models.entry import AuditEntry
from integrations.members.models.pending import PendingMembership
from integrations.single_sign_on.models import IdentityProvider, ProviderIdentity
from tests.portal.accounts.single_sign_on_scene import is_signed_in, prove, set_up, sign_in
from tests.support import factories
from tests.support.identity_provider import Provider, fake_wire

JOIN = "/sso/join/"


@pytest.fixture
def provider(organization, wire):
    prove(organization)
    provider = Provider("https://login.acme.example", email="New@acme.example")
    fake_wire(provider, wire)
    set_up(organization, provider)
    return provider


@pytest.fixture
def pending(organization):
    return factories.invited(organization, "new@acme.example")


def test_the_provider_alone_makes_nobody_a_member(client, provider, pending, organization):
    answer = sign_in(client, provider)
    assert answer["Location"] == JOIN
    page = client.get(JOIN).content.decode()
    assert f"Join {organization}?" in page
    assert not User.objects.filter(email="new@acme.example").exists()
    assert PendingMembership.objects.exists()
    assert not is_signed_in(client)


def test_accepting_makes_an_account_without_password_binds_it_and_signs_in(
    client, provider, pending, organization
):
    sign_in(client, provider)
    assert client.post(JOIN, {"answer": "accept"})["Location"] == "/"
    user = User.objects.get(email="new@acme.example")
    assert not user.has_usable_password()
    assert organization.memberships.get(user=user).role == pending.role
    assert ProviderIdentity.objects.get().user == user
    assert client.get("/").status_code == 200
    assert not PendingMembership.objects.exists()
    assert AuditEntry.objects.filter(action="accept_membership", actor=user).count() == 1
    assert client.post(JOIN, {"answer": "accept"}).status_code == 403


def test_declining_signs_nobody_in(client, provider, pending):
    sign_in(client, provider)
    assert client.post(JOIN, {"answer": "decline"})["Location"] == "/login/"
    assert not is_signed_in(client)
    assert not PendingMembership.objects.exists()
    assert not User.objects.filter(email="new@acme.example").exists()


def test_an_account_whose_address_was_proven_joins(client, provider, pending, organization):
    user = factories.UserFactory.create(email="new@acme.example")
    factories.prove_address(user)
    sign_in(client, provider)
    client.post(JOIN, {"answer": "accept"})
    assert organization.memberships.filter(user=user).exists()
    assert client.session["_auth_user_id"] == str(user.pk)


def test_an_account_that_somebody_else_made_with_the_address_does_not_join(
    client, provider, pending, organization
):
    """Its maker may know its password: the account would then open what its person never gave them."""
    factories.UserFactory.create(email="new@acme.example")
    sign_in(client, provider)
    answer = client.post(JOIN, {"answer": "accept"})
    assert answer.status_code == 403
    assert "Open the link in the invitation" in answer.content.decode()
    assert not organization.memberships.exists()
    assert not is_signed_in(client)


@pytest.mark.parametrize("claims", [{"is_verified": False}, {"email": "new@elsewhere.example"}])
def test_an_address_that_proves_nothing_is_not_asked(client, provider, organization, claims):
    factories.invited(organization, "new@acme.example")
    factories.invited(organization, "new@elsewhere.example")
    for name, value in claims.items():
        setattr(provider, name, value)
    assert sign_in(client, provider).status_code == 403
    assert client.get(JOIN).status_code == 403


def test_the_invitation_of_another_organization_is_not_answered(client, provider):
    factories.invited(factories.OrganizationFactory.create(), "new@acme.example")
    assert sign_in(client, provider).status_code == 403


def test_a_withdrawn_invitation_and_a_provider_that_was_turned_off_end_it(
    client, provider, pending, organization
):
    sign_in(client, provider)
    organization.identity_provider.mode = "off"
    organization.identity_provider.save()
    assert client.post(JOIN, {"answer": "accept"}).status_code == 403
    sign_in_again = client.get(JOIN)
    assert sign_in_again.status_code == 403
    assert not organization.memberships.exists()


def test_the_page_without_a_sign_in_says_what_to_do(client, db):
    assert client.get(JOIN).status_code == 403
    assert client.post(JOIN).status_code == 403


def test_a_newcomer_with_a_former_members_address_does_not_join_as_them(
    client, provider, pending, organization
):
    """The provider gives the address to somebody else; the account at it was bound to the person before."""
    former = factories.UserFactory.create(username="former", email="new@acme.example")
    factories.prove_address(former)
    row = IdentityProvider.objects.get()
    ProviderIdentity.objects.create(provider=row, subject="the former member", user=former)
    sign_in(client, provider)
    assert client.post(JOIN, {"answer": "accept"}).status_code == 403
    assert not former.memberships.exists()
    assert PendingMembership.objects.exists()
    assert not is_signed_in(client)


def test_what_another_provider_vouched_for_accepts_nothing(client, provider, pending, organization):
    """A Super Admin enters another provider while the person reads the question."""
    sign_in(client, provider)
    IdentityProvider.objects.update(issuer="https://login.elsewhere.example")
    assert client.post(JOIN, {"answer": "accept"}).status_code == 403
    assert not User.objects.filter(email="new@acme.example").exists()
    assert not ProviderIdentity.objects.exists()
