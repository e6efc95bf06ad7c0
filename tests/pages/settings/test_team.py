"""Inviting people: the invitation is mailed, sent again, withdrawn; the link is shown only where no mail is sent."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from integrations.members.models.membership import PendingMembership
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from tests.support import factories
from tests.support.page_text import text

INVITE = "/settings/team/"
NEW = {"email": "recruiter@acme.example", "role": "team_member"}


def address(page: str = "pending-member") -> str:
    return reverse(page, args=[PendingMembership.objects.get().pk])


def test_the_invitation_is_mailed_listed_and_stored_nowhere_as_a_link(
    super_admin_client, super_admin, organization
):
    page = text(super_admin_client.post(INVITE, NEW, follow=True))
    assert "The invitation is on its way to recruiter@acme.example." in page
    assert "Invited, not answered yet" in page
    assert "/membership/" not in page + str(list(Effect.objects.values("payload", "key")))
    worker.work()
    to = {message.to[0]: str(message.body) for message in mail.outbox}
    assert re.search(r"http://testserver/membership/\S+/", to["recruiter@acme.example"])
    assert "recruiter@acme.example: invited as Team Member." in to[super_admin.email]
    assert "/membership/" not in to[super_admin.email]


def test_nothing_is_mailed_for_an_invitation_that_was_withdrawn_meanwhile(
    super_admin_client, organization, super_admin
):
    super_admin_client.post(INVITE, NEW)
    super_admin_client.post(address("pending-withdraw"))
    worker.work()
    assert {message.to[0] for message in mail.outbox} == {super_admin.email}


def test_inviting_again_changes_the_role_and_keeps_one_row(super_admin_client, organization):
    super_admin_client.post(INVITE, NEW)
    super_admin_client.post(INVITE, {"email": "Recruiter@ACME.example ", "role": "admin"})
    assert list(PendingMembership.objects.values_list("email", "role")) == [
        ("recruiter@acme.example", "admin")
    ]


def test_an_existing_member_cannot_be_invited(super_admin_client, team_member):
    page = text(super_admin_client.post(INVITE, NEW | {"email": team_member.email.upper()}))
    assert "is a member already" in page


@pytest.mark.parametrize("email", ["nobody", "a" * 140 + "@acme.example", "a\x01b@acme.example"])
def test_an_address_that_is_none_is_refused(super_admin_client, email):
    answer = super_admin_client.post(INVITE, NEW | {"email": email})
    assert answer.context["form"].errors["email"]
    assert not PendingMembership.objects.exists()


def test_sending_again_ends_the_earlier_link(super_admin_client, organization, client):
    factories.invited(organization, NEW["email"])
    for _ in range(2):
        super_admin_client.post(address())
        worker.work()
    bodies = " ".join(str(message.body) for message in mail.outbox)
    links = re.findall(r"http://testserver(/membership/\S+)", bodies)
    assert ["no longer works" in text(client.get(link)) for link in links] == [True, False]


def test_the_page_shows_the_link_and_why_where_no_mail_is_sent(
    super_admin_client, organization, settings, client
):
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    page = text(super_admin_client.post(INVITE, NEW, follow=True))
    assert "The link for recruiter@acme.example is among the invitations." in page
    assert "This portal doesn't send e-mails" in page
    link = re.search(r'value="http://testserver(/membership/[^"]+)"', page)
    assert link
    assert "Join " in text(client.get(link[1]))
