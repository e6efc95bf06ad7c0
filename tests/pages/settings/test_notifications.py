"""Who gets which e-mail: by role, by one's own word, by a Super Admin's; and out again without signing in."""

from django.test import Client
from django.urls import reverse

from integrations.models import AuditEntry, Membership, NotificationPreference
from integrations.workflow.email import preferences
from tests import factories

MINE, TEAM = "/notifications/", "/notifications/team/"


def receivers(organization, kind: str) -> list[str]:
    found = NotificationPreference.objects.members_who_want(organization, kind)
    return sorted(member.user.username.split("-")[0] for member in found)


def test_the_roles_defaults(
    organization, super_admin, team_member, organization_admin_client, limited_member_client
):
    assert receivers(organization, "result") == ["admin", "colleague", "owner"]
    assert receivers(organization, "trouble") == ["admin", "owner"]


def test_a_person_chooses_and_it_is_on_record(team_member_client, team_member, organization, super_admin):
    assert "checked" in team_member_client.get(MINE).content.decode()
    team_member_client.post(MINE, {"kind-trouble": "on"})
    assert receivers(organization, "trouble") == ["colleague", "owner"]
    assert receivers(organization, "result") == ["owner"]
    assert AuditEntry.objects.get().changes == {
        "Results": [True, False],
        "Trouble that needs a person": [False, True],
    }


def test_people_without_address_and_inactive_ones_get_nothing(organization, super_admin, team_member):
    super_admin.email = ""
    super_admin.save()
    team_member.is_active = False
    team_member.save()
    assert receivers(organization, "result") == []


def test_a_super_admin_chooses_for_everybody_shown_and_nobody_else(
    super_admin_client, organization, team_member, stranger
):
    mine = Membership.objects.get(user=team_member)
    theirs = Membership.objects.get(user=stranger)
    super_admin_client.post(TEAM, {"member": [mine.pk, theirs.pk, "x"], f"kind-{mine.pk}-forecast": "on"})
    assert receivers(organization, "result") == ["owner"]
    assert "colleague" in receivers(organization, "forecast")
    assert not NotificationPreference.objects.filter(membership=theirs).exists()


def test_the_page_of_many_members_takes_few_queries(
    super_admin_client, organization, django_assert_max_num_queries
):
    for number in range(60):
        factories.member(organization, Membership.Role.TEAM_MEMBER, f"person-{number}")
    with django_assert_max_num_queries(12):
        page = super_admin_client.get(TEAM).content.decode()
    assert "Page 1 of 2" in page


def unsubscribe(organization, person, kind: str = "result") -> str:
    link = preferences.unsubscribe_link(Membership.objects.get(user=person), kind)
    assert person.username not in link
    return link.removeprefix("http://testserver")


def test_looking_at_the_link_changes_nothing_and_one_post_stops_the_kind(
    organization, super_admin, team_member
):
    link = unsubscribe(organization, team_member)
    browser = Client(enforce_csrf_checks=True)
    assert "Stop these e-mails?" in browser.get(link).content.decode()
    assert "colleague" in receivers(organization, "result")
    for _ in range(2):
        answer = browser.post(link, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "Stopped" in answer.content.decode()
    assert receivers(organization, "result") == ["owner"]
    assert receivers(organization, "trouble") == ["owner"]
    assert AuditEntry.objects.count() == 1


def test_a_link_that_was_changed_or_whose_member_has_gone_is_404(client, organization, team_member):
    link = unsubscribe(organization, team_member)
    changed = f"{link[:-3]}x{link[-2:]}" if link[-3] != "x" else f"{link[:-3]}y{link[-2:]}"
    assert client.post(changed).status_code == 404
    Membership.objects.filter(user=team_member).delete()
    assert client.get(link).status_code == 404


def test_a_password_link_is_no_unsubscribe_link(client, db):
    assert client.post(reverse("unsubscribe", args=["nonsense"])).status_code == 404
