"""Members: their roles are changed, they are removed; somebody can always connect."""

import pytest
from django.core import mail
from django.urls import reverse

from integrations.members.models.membership import Membership
from integrations.queue import worker
from tests.support import factories
from tests.support.page_text import text

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
    worker.work()
    [message] = mail.outbox
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
    worker.work()
    assert [message.to for message in mail.outbox] == [[second.email]]
