"""The team: people are invited, their roles changed, and they are removed; somebody can always connect."""

import re

import pytest
from django.urls import reverse

from integrations.members.models.membership import Membership, PendingMembership
from integrations.outbox.models.effect import Effect
from tests.support import factories
from tests.support.mailbox import sent_emails
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
    to = {message.to[0]: str(message.body) for message in sent_emails()}
    assert re.search(r"http://testserver/membership/\S+/", to["recruiter@acme.example"])
    assert "recruiter@acme.example: invited as Team Member." in to[super_admin.email]
    assert "/membership/" not in to[super_admin.email]


def test_nothing_is_mailed_for_an_invitation_that_was_withdrawn_meanwhile(
    super_admin_client, organization, super_admin
):
    super_admin_client.post(INVITE, NEW)
    super_admin_client.post(address("pending-withdraw"))
    assert {message.to[0] for message in sent_emails()} == {super_admin.email}


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
        messages = sent_emails()
    bodies = " ".join(str(message.body) for message in messages)
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


# members


#: Where a password is chosen by a link.
CHOOSE = "/accounts/password/reset/key/"


def without_password(organization, email: str = "") -> Membership:
    person = factories.UserFactory.create(email=email)
    person.set_unusable_password()
    person.save()
    return Membership.objects.create(user=person, organization=organization)


def test_a_link_is_shown_only_for_a_member_of_this_organization_alone_without_address_and_password(
    super_admin_client, organization, team_member
):
    def page(member: Membership) -> str:
        return text(super_admin_client.get(reverse("member-link", args=[member.pk])))

    member = without_password(organization)
    assert f'value="http://testserver{CHOOSE}' in page(member)
    Membership.objects.create(user=member.user, organization=factories.OrganizationFactory.create())
    assert CHOOSE not in page(member)
    reachable = page(without_password(organization, "here@acme.example"))
    assert CHOOSE not in reachable
    assert "sends a new link to here@acme.example" in reachable
    assert CHOOSE not in page(Membership.objects.get(user=team_member))


def test_the_role_is_changed_and_told_to_the_super_admins(super_admin_client, super_admin, team_member):
    member = Membership.objects.get(user=team_member)
    for role in ("admin", "emperor"):
        super_admin_client.post(reverse("member-role", args=[member.pk]), {"role": role})
        member.refresh_from_db()
        assert member.role == "admin"
    [message] = sent_emails()
    assert message.to == [super_admin.email]
    assert f"{team_member}: Team Member until now, Admin from now on." in str(message.body)


@pytest.mark.parametrize("page", ["member-role", "member-remove"])
def test_the_last_super_admin_cannot_be_removed_or_demoted(super_admin_client, super_admin, page):
    member = Membership.objects.get(user=super_admin)
    answer = super_admin_client.post(reverse(page, args=[member.pk]), {"role": "admin"}, follow=True)
    assert "the last Super Admin" in text(answer)
    member.refresh_from_db()
    assert member.role == "super_admin"


def test_one_of_two_super_admins_can_be_removed(super_admin_client, super_admin, organization):
    second = factories.member(organization, Membership.Role.SUPER_ADMIN, "second")
    member = Membership.objects.get(user=super_admin)
    assert super_admin_client.post(reverse("member-remove", args=[member.pk]))["Location"] == "/"
    assert not Membership.objects.filter(pk=member.pk).exists()
    assert [message.to for message in sent_emails()] == [[second.email]]
