"""Which member gets which e-mail: by role or by choice; unsubscribing by a link."""

from django.test import Client
from django.urls import reverse

from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailKind, members_getting, unsubscribe_link
from tests.support.factories import recorded

OWN, CHOOSE = "/account/", "/account/e-mails/"


def recipients(organization, kind: str) -> list[str]:
    members = members_getting(organization, EmailKind(kind))
    return sorted(member.user.username.split("-")[0] for member in members)


def test_a_member_chooses_kinds_and_it_is_audited(team_member_client, team_member, organization, super_admin):
    assert "checked" in team_member_client.get(OWN).content.decode()
    answer = team_member_client.post(CHOOSE, {"problems": "on"}, follow=True)
    assert "Your e-mails are saved." in answer.content.decode()
    assert recipients(organization, "problems") == ["colleague", "owner"]
    assert recipients(organization, "results") == ["owner"]
    assert recorded().get().changes == {"Results": [True, False], "Problems": [False, True]}


def test_members_who_are_inactive_or_have_no_address_get_nothing(organization, super_admin, team_member):
    super_admin.email = ""
    super_admin.save()
    team_member.is_active = False
    team_member.save()
    assert recipients(organization, "results") == []


def unsubscribe_path(organization, person, kind: EmailKind = EmailKind.RESULTS) -> str:
    link = unsubscribe_link(Membership.objects.get(user=person), kind)
    assert person.username not in link
    return link.removeprefix("http://testserver")


def test_get_of_the_link_changes_nothing_and_post_stops_the_kind(organization, super_admin, team_member):
    link = unsubscribe_path(organization, team_member)
    browser = Client(enforce_csrf_checks=True)
    assert "Stop these e-mails?" in browser.get(link).content.decode()
    assert "colleague" in recipients(organization, "results")
    for _ in range(2):
        answer = browser.post(link, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "Stopped" in answer.content.decode()
    assert recipients(organization, "results") == ["owner"]
    assert recipients(organization, "problems") == ["owner"]
    assert recorded().count() == 1


def test_a_link_that_is_tampered_with_or_of_a_former_member_is_not_found(client, organization, team_member):
    link = unsubscribe_path(organization, team_member)
    changed = f"{link[:-3]}x{link[-2:]}" if link[-3] != "x" else f"{link[:-3]}y{link[-2:]}"
    for wrong in (changed, reverse("unsubscribe", args=["nonsense"])):
        assert client.post(wrong).status_code == 404
    Membership.objects.filter(user=team_member).delete()
    assert client.get(link).status_code == 404
