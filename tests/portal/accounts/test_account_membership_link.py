"""The page behind an invitation's link: who may accept it, with which account, and when it has ended."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.test import Client

from integrations.members.acts import invitations
from integrations.members.models.membership import Membership, PendingMembership
from integrations.notifications.link_emails import membership_link
from tests.support import factories
from tests.support.factories import recorded
from tests.support.page_text import text

ADDRESS = "carol@acme.example"
CHOSEN = {"answer": "accept", "password1": "a long new secret", "password2": "a long new secret"}


@pytest.fixture
def pending(organization) -> PendingMembership:
    return factories.invited(organization, ADDRESS, Membership.Role.ADMIN)


@pytest.fixture
def link(pending) -> str:
    return membership_link(pending).removeprefix("http://testserver")


def test_a_new_person_chooses_a_password_and_is_a_member_under_their_address(client, link, organization):
    page = client.post(link, CHOSEN, follow=True)
    assert page.context["organization"] == organization
    user = User.objects.get()
    assert (user.username, user.email, user.is_staff) == (ADDRESS, ADDRESS, False)
    assert user.check_password("a long new secret")
    assert EmailAddress.objects.get(user=user, verified=True).email == ADDRESS
    member = Membership.objects.get()
    assert (member.role, member.address) == ("admin", ADDRESS)
    entry, signed_in = recorded().order_by("pk")
    assert (signed_in.actor, signed_in.action) == (user, "sign_in")
    assert (entry.actor, entry.action, entry.changes) == (user, "accept_membership", {"role": ["", "admin"]})
    assert "no longer works" in text(Client().get(link))
    assert "no longer works" in text(Client().post(link, CHOSEN))


@pytest.mark.parametrize("password", ["", "short"])
def test_a_weak_password_is_refused_and_nobody_is_stored(client, link, password):
    assert "At least 12 characters" in client.get(link).content.decode()
    answer = client.post(link, CHOSEN | {"password1": password, "password2": password})
    assert answer.context["form"].errors
    assert not User.objects.exists()
    assert not Membership.objects.exists()


def test_where_another_account_has_the_address_as_its_name_the_new_one_gets_a_number(client, link):
    User.objects.create_user(ADDRESS.upper(), "elsewhere@acme.example")
    client.post(link, CHOSEN)
    assert User.objects.get(email=ADDRESS).username == f"{ADDRESS}-2"


def test_who_has_an_account_signs_in_first(client, link):
    person = factories.UserFactory.create(username="carol", email=ADDRESS.title())
    page = text(client.get(link))
    assert "Your account is <strong>carol</strong>" in page
    assert "password1" not in page
    signed_in = client.post(
        "/accounts/login/", {"login": "carol", "password": "correct horse battery", "next": link}
    )
    assert signed_in["Location"] == link
    assert "You are signed in as <strong>carol</strong>" in text(client.get(link))
    answer = client.post(link, {"answer": "accept"}, follow=True)
    assert "You are Admin of" in text(answer)
    assert person.memberships.count() == 1
    assert invitations.has_proven_address(person) is (person.email.lower() == ADDRESS)


def test_a_disabled_account_is_not_replaced_by_a_new_one(client, link):
    factories.UserFactory.create(email=ADDRESS, is_active=False)
    assert "is disabled" in text(client.get(link))
    client.post(link, CHOSEN)
    assert User.objects.count() == 1
    assert not Membership.objects.exists()


def test_declining_needs_no_account(client, link, organization):
    answer = client.post(link, {"answer": "decline"}, follow=True)
    assert f"You declined the invitation of {organization}" in text(answer)
    entry = recorded().get()
    assert (entry.actor, entry.actor_name, entry.action) == (None, ADDRESS, "decline_membership")
    assert "no longer works" in text(client.get(link))


def test_the_link_ends_after_a_week(client, link, pending):
    PendingMembership.objects.update(invited_at=pending.invited_at - timedelta(days=7, minutes=1))
    renewed = PendingMembership.objects.get()
    assert not renewed.is_open
    late = membership_link(renewed).removeprefix("http://testserver")
    assert "no longer works" in text(client.get(late))


def test_what_was_read_is_looked_at_again_when_it_is_accepted(pending):
    person = factories.UserFactory.create(email=ADDRESS)
    ended = invitations.AcceptanceRefusal.INVITATION_ENDED
    late = PendingMembership.objects.get()
    late.invited_at -= timedelta(days=7, minutes=1)
    late.save()
    assert invitations.accept(late, person, invitations.InvitationProof.LINK) is ended
    PendingMembership.objects.all().delete()
    assert invitations.accept(pending, person, invitations.InvitationProof.LINK) is ended
    assert invitations.accept_with_new_account(pending, User(), invitations.InvitationProof.LINK) is ended


def test_who_became_a_member_meanwhile_stays_what_they_are(pending, organization):
    person = factories.UserFactory.create(email=ADDRESS)
    Membership.objects.create(user=person, organization=organization, role=Membership.Role.TEAM_MEMBER)
    member = invitations.accept(pending, person, invitations.InvitationProof.LINK)
    assert isinstance(member, Membership)
    assert member.role == "team_member"
    assert not PendingMembership.objects.exists()
    assert not recorded().exists()
