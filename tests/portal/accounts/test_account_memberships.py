"""The page of a person's own organizations: invitations they may answer, leaving."""

import pytest
from django.urls import reverse

from integrations.members.models.membership import Membership
from tests.support import factories
from tests.support.factories import recorded
from tests.support.mailbox import sent_emails
from tests.support.page_text import text

PAGE = "/account/"


@pytest.fixture
def person(db):
    return factories.UserFactory.create(username="person", email="person@home.example")


@pytest.fixture
def client(client_for, person):
    return client_for(person)


def leave(user) -> str:
    return reverse("membership-leave", args=[Membership.objects.get(user=user).pk])


def test_until_the_address_is_proven_no_invitation_is_shown(client, person, organization):
    factories.invited(organization, person.email)
    page = text(client.get(PAGE))
    assert "An invitation comes to person@home.example by e-mail" in page
    assert str(organization) not in page
    person.email = ""
    person.save()
    assert "Your account has no e-mail address" in text(client.get(PAGE))


def test_a_proven_address_shows_its_invitations_until_they_run_out(client, person, organization):
    factories.prove_address(person)
    assert "Nobody has invited person@home.example" in text(client.get(PAGE))
    pending = factories.invited(organization, person.email)
    assert f"<strong>{organization}</strong> invites you as Team Member" in text(client.get(PAGE))
    pending.invited_at = pending.invited_at.replace(year=2020)
    pending.save()
    assert "Nobody has invited" in text(client.get(PAGE))
    answer = client.post(reverse("membership-answer", args=[pending.pk]), {"answer": "accept"})
    assert answer.status_code == 404


def test_accepting_leads_to_the_organization_and_tells_its_super_admins(
    client, person, organization, super_admin
):
    factories.prove_address(person)
    pending = factories.invited(organization, person.email, Membership.Role.ADMIN)
    address = reverse("membership-answer", args=[pending.pk])
    answer = client.post(address, {"answer": "accept"}, follow=True)
    assert answer.context["organization"] == organization
    assert client.post(address, {"answer": "accept"}).status_code == 404
    assert recorded().count() == 1
    member = Membership.objects.get(user=person)
    assert (member.role, member.address) == ("admin", "person@home.example")
    [message] = sent_emails()
    assert message.to == [super_admin.email]
    assert "accepted the invitation and is Admin now" in str(message.body)


def test_leaving_ends_the_access_and_is_recorded(team_member_client, team_member, super_admin):
    answer = team_member_client.post(leave(team_member), follow=True)
    assert "You left" in text(answer)
    assert team_member_client.get("/activity/").status_code == 403
    entry = recorded().get()
    assert (entry.actor, entry.action, entry.changes) == (team_member, "leave", {"role": ["team_member", ""]})
    assert f"{team_member}: left the organization" in str(sent_emails()[0].body)
