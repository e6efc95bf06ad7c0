"""Inviting people: the invitation is mailed, sent again, withdrawn; the link is shown only where no mail is sent."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from integrations.members.models.membership import PendingMembership
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from tests.support import factories
from tests.support.factories import recorded
from tests.support.page_text import text

INVITE = "/settings/team/"
NEW = {"email": "recruiter@acme.example", "role": "team_member"}


@pytest.fixture
def pending(organization) -> PendingMembership:
    return factories.invited(organization, NEW["email"])


def address(pending: PendingMembership, page: str = "pending-member") -> str:
    return reverse(page, args=[pending.pk])


def without_mail(settings) -> None:
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}


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
    entry = recorded().get()
    assert (entry.action, entry.target, entry.changes) == (
        "invite_member",
        "recruiter@acme.example",
        {"role": ["", "team_member"]},
    )


def test_nothing_is_mailed_for_an_invitation_that_was_withdrawn_meanwhile(
    super_admin_client, organization, super_admin
):
    super_admin_client.post(INVITE, NEW)
    super_admin_client.post(address(PendingMembership.objects.get(), "pending-withdraw"))
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


@pytest.mark.parametrize("email", ["", "nobody", "a" * 140 + "@acme.example", "a\x01b@acme.example"])
def test_an_address_that_is_none_is_refused(super_admin_client, email):
    answer = super_admin_client.post(INVITE, NEW | {"email": email})
    assert answer.context["form"].errors["email"]
    assert not PendingMembership.objects.exists()


def test_sending_again_ends_the_earlier_link(super_admin_client, client, pending):
    super_admin_client.post(address(pending))
    worker.work()
    super_admin_client.post(address(pending))
    worker.work()
    links = re.findall(
        r"http://testserver(/membership/\S+)", " ".join(str(message.body) for message in mail.outbox)
    )
    pages = [text(client.get(link)) for link in links]
    assert ["no longer works" in page for page in pages] == [True, False]


def test_the_page_shows_no_link_where_mail_is_sent(super_admin_client, pending):
    page = text(super_admin_client.get(INVITE))
    assert pending.email in page
    assert "/membership/" not in page


def test_the_page_shows_the_link_and_why_where_no_mail_is_sent(super_admin_client, pending, settings, client):
    without_mail(settings)
    page = text(super_admin_client.get(INVITE))
    assert "This portal doesn't send e-mails" in page
    link = re.search(r'value="http://testserver(/membership/[^"]+)"', page)
    assert link
    assert "Join " in text(client.get(link[1]))


def test_inviting_leads_to_the_link_where_no_mail_is_sent(super_admin_client, organization, settings):
    without_mail(settings)
    page = text(super_admin_client.post(INVITE, NEW, follow=True))
    assert "The link for recruiter@acme.example is among the invitations." in page
    assert "/membership/" in page


def test_another_organizations_invitation_is_not_found(stranger_client, pending):
    assert stranger_client.post(address(pending)).status_code == 404
    assert stranger_client.post(address(pending, "pending-withdraw")).status_code == 404
    assert PendingMembership.objects.filter(pk=pending.pk).exists()
