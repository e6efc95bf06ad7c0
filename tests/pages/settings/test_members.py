"""Members: invited by link, changed, removed; somebody can always connect."""

import re

from django.contrib.auth import get_user_model
from django.core import mail
from django.urls import reverse

from integrations.models import AuditEntry, Effect, Membership
from integrations.queue import worker
from integrations.workflow.operations.members import may_set_password
from tests import factories

INVITE = "/settings/members/"


def text(answer) -> str:
    return answer.content.decode()


def new(**changes: str) -> dict[str, str]:
    return {"username": "recruiter", "email": "recruiter@acme.example", "role": "team_member"} | changes


def test_a_new_person_gets_a_link_that_works(super_admin_client, organization, client):
    page = text(super_admin_client.post(INVITE, new(), follow=True))
    link = re.search(r'value="http://testserver(/invite/[^"]+)"', page)
    assert link
    assert "Choose a password" in text(client.get(link[1], follow=True))
    assert organization.memberships.get(user__username="recruiter").role == "team_member"
    assert AuditEntry.objects.filter(action="invite_member").exists()


def test_a_user_name_of_another_address_is_rejected(super_admin_client, organization, stranger):
    page = text(super_admin_client.post(INVITE, new(username=stranger.username)))
    assert "Somebody else has this user name" in page
    assert not organization.memberships.filter(user=stranger).exists()


def test_a_person_of_another_organization_is_added_without_a_link(super_admin_client, organization, stranger):
    page = text(
        super_admin_client.post(INVITE, new(username=stranger.username, email=stranger.email), follow=True)
    )
    assert "signs in with the password they have" in page
    assert "/invite/" not in page
    assert organization.memberships.filter(user=stranger).exists()


def test_no_organization_may_set_the_password_of_a_person_of_two(organization):
    person = factories.UserFactory.create()
    person.set_unusable_password()
    person.save()
    member = Membership.objects.create(user=person, organization=organization)
    assert may_set_password(member)
    Membership.objects.create(user=person, organization=factories.OrganizationFactory.create())
    assert not may_set_password(member)


def test_there_is_no_link_for_a_person_with_a_password(super_admin_client, team_member):
    member = Membership.objects.get(user=team_member)
    assert "/invite/" not in text(super_admin_client.get(reverse("member-link", args=[member.pk])))


def test_an_existing_member_cannot_be_invited(super_admin_client, team_member):
    page = text(super_admin_client.post(INVITE, new(username=team_member.username, email=team_member.email)))
    assert "is a member already" in page


def test_the_role_is_changed_and_recorded(super_admin_client, team_member):
    member = Membership.objects.get(user=team_member)
    super_admin_client.post(reverse("member-role", args=[member.pk]), {"role": "admin"})
    member.refresh_from_db()
    assert member.role == "admin"
    assert AuditEntry.objects.get().changes == {"role": ["team_member", "admin"]}
    super_admin_client.post(reverse("member-role", args=[member.pk]), {"role": "emperor"})
    member.refresh_from_db()
    assert member.role == "admin"


def test_the_last_super_admin_cannot_be_removed_or_demoted(super_admin_client, super_admin):
    member = Membership.objects.get(user=super_admin)
    page = text(
        super_admin_client.post(reverse("member-role", args=[member.pk]), {"role": "admin"}, follow=True)
    )
    assert "the last Super Admin" in page
    page = text(super_admin_client.post(reverse("member-remove", args=[member.pk]), follow=True))
    assert "the last Super Admin" in page
    member.refresh_from_db()
    assert member.role == "super_admin"


def test_one_of_two_super_admins_can_be_removed(super_admin_client, super_admin, organization):
    factories.member(organization, Membership.Role.SUPER_ADMIN, "second")
    member = Membership.objects.get(user=super_admin)
    assert super_admin_client.post(reverse("member-remove", args=[member.pk]))["Location"] == "/"
    assert not Membership.objects.filter(pk=member.pk).exists()
    assert get_user_model().objects.filter(pk=super_admin.pk).exists()


def test_removing_a_member_asks_for_confirmation(super_admin_client, team_member):
    member = Membership.objects.get(user=team_member)
    assert "Remove" in text(super_admin_client.get(reverse("member-remove", args=[member.pk])))
    assert Membership.objects.filter(pk=member.pk).exists()


def test_the_link_is_emailed_and_not_stored(super_admin_client, organization, client):
    page = text(super_admin_client.post(INVITE, new(), follow=True))
    assert "on its way to recruiter@acme.example" in page
    assert "/invite/" not in str(list(Effect.objects.values("payload", "key")))
    worker.work()
    [message] = mail.outbox
    assert message.to == ["recruiter@acme.example"]
    link = re.search(r"http://testserver(/invite/\S+)", str(message.body))
    assert link
    assert "Choose a password" in text(client.get(link[1], follow=True))
    member = organization.memberships.get(user__username="recruiter")
    assert "on its way" in text(
        super_admin_client.post(reverse("member-link", args=[member.pk]), follow=True)
    )
    member.user.set_password("correct horse battery")
    member.user.save()
    worker.work()
    assert len(mail.outbox) == 1
    assert "There is no link" in text(
        super_admin_client.post(reverse("member-link", args=[member.pk]), follow=True)
    )


def test_a_person_without_rights_can_write_to_the_admins(team_member_client, super_admin):
    assert f"mailto:{super_admin.email}?subject=" in text(team_member_client.get("/settings/"))
