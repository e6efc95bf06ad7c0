"""Which member gets which e-mail: by role, by choice, by a Super Admin's choice; unsubscribing by a link."""

import pytest
from django.test import Client
from django.urls import reverse

from integrations.members.models.membership import Membership, OwnChoice
from integrations.notifications import notices
from integrations.notifications.models.email_kind import EmailKind
from integrations.notifications.models.preferences import NotificationPreference
from tests.support import factories
from tests.support.factories import recorded
from tests.support.page_text import text

OWN, TEAM = "/notifications/", "/settings/notifications/team/"


def recipients(organization, kind: str) -> list[str]:
    members = NotificationPreference.objects.members_who_want(organization, EmailKind(kind))
    return sorted(member.user.username.split("-")[0] for member in members)


def test_kinds_wanted_by_default_depend_on_the_role(
    organization, super_admin, team_member, organization_admin_client, limited_member_client
):
    assert recipients(organization, "result") == ["admin", "colleague", "owner"]
    assert recipients(organization, "attention") == ["admin", "owner"]


def test_a_member_chooses_kinds_and_it_is_audited(team_member_client, team_member, organization, super_admin):
    assert "checked" in team_member_client.get(OWN).content.decode()
    team_member_client.post(OWN, {"kind-attention": "on"})
    assert recipients(organization, "attention") == ["colleague", "owner"]
    assert recipients(organization, "result") == ["owner"]
    assert recorded().get().changes == {"Results": [True, False], "Needs attention": [False, True]}


def test_one_button_saves_the_choices_and_the_time_zone(team_member_client, team_member, organization):
    page = team_member_client.get(OWN).content.decode()
    assert page.split("<main", 1)[1].count('type="submit"') == 1
    assert 'aria-label="Settings"' not in page
    answer = team_member_client.post(OWN, {"kind-attention": "on", "time_zone": "Europe/Lisbon"}, follow=True)
    assert "Your settings are saved." in answer.content.decode()
    assert "in Europe/Lisbon" in answer.content.decode()
    assert recipients(organization, "attention") == ["colleague"]
    answer = team_member_client.post(OWN, {"time_zone": "Nowhere"}, follow=True)
    assert "There is no such time zone." in answer.content.decode()
    assert recipients(organization, "attention") == ["colleague"]


def test_a_member_chooses_their_own_candidates_and_it_is_audited(team_member_client, team_member):
    member = Membership.objects.get(user=team_member)
    page = team_member_client.get(OWN).content.decode()
    assert all(f'name="{choice.value}"' in page for choice in OwnChoice)
    chosen = {"kind-result": "on", "only_own_emails": "on"}
    for said in ("Your settings are saved.", "Nothing was changed."):
        assert said in team_member_client.post(OWN, chosen, follow=True).content.decode()
    member.refresh_from_db()
    assert (member.lists_own, member.only_own_emails) == (False, True)
    [entry] = recorded()
    assert entry.action == "choose_own_candidates"
    assert entry.changes == {"E-mails about my candidates only": [False, True]}


def test_a_limited_member_has_no_choice_of_whose_candidates(limited_member_client, limited_member):
    assert 'name="lists_own"' not in limited_member_client.get(OWN).content.decode()
    limited_member_client.post(OWN, {"lists_own": "on"})
    assert not Membership.objects.get(user=limited_member).lists_own


def test_who_cannot_be_found_in_lever_is_told(team_member_client, team_member):
    Membership.objects.filter(user=team_member).update(address="former@acme.example")
    assert "The portal finds you in Lever by the address" in text(team_member_client.get(OWN))


def test_who_gets_e_mails_about_their_own_candidates_is_said_to_super_admins(super_admin_client, team_member):
    Membership.objects.filter(user=team_member).update(only_own_emails=True)
    assert "own candidates only" in text(super_admin_client.get(TEAM))


def test_members_who_are_inactive_or_have_no_address_get_nothing(organization, super_admin, team_member):
    super_admin.email = ""
    super_admin.save()
    team_member.is_active = False
    team_member.save()
    assert recipients(organization, "result") == []


def test_a_super_admin_chooses_for_the_members_shown_and_no_others(
    super_admin_client, organization, team_member, stranger
):
    mine = Membership.objects.get(user=team_member)
    theirs = Membership.objects.get(user=stranger)
    super_admin_client.post(TEAM, {"member": [mine.pk, theirs.pk, "x"], f"kind-{mine.pk}-expiry": "on"})
    assert recipients(organization, "result") == ["owner"]
    assert "colleague" in recipients(organization, "expiry")
    assert not NotificationPreference.objects.filter(membership=theirs).exists()


def test_the_page_of_many_members_takes_few_queries(
    super_admin_client, organization, django_assert_max_num_queries
):
    for number in range(60):
        factories.member(organization, Membership.Role.TEAM_MEMBER, f"person-{number}")
    with django_assert_max_num_queries(12):
        page = super_admin_client.get(TEAM).content.decode()
    assert "Page 1 of 2" in page


def unsubscribe_path(organization, person, kind: EmailKind = EmailKind.RESULT) -> str:
    link = notices.unsubscribe_link(Membership.objects.get(user=person), kind)
    assert person.username not in link
    return link.removeprefix("http://testserver")


def test_get_of_the_link_changes_nothing_and_post_stops_the_kind(organization, super_admin, team_member):
    link = unsubscribe_path(organization, team_member)
    browser = Client(enforce_csrf_checks=True)
    assert "Stop these e-mails?" in browser.get(link).content.decode()
    assert "colleague" in recipients(organization, "result")
    for _ in range(2):
        answer = browser.post(link, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "Stopped" in answer.content.decode()
    assert recipients(organization, "result") == ["owner"]
    assert recipients(organization, "attention") == ["owner"]
    assert recorded().count() == 1


def test_a_tampered_link_or_one_of_a_former_member_is_404(client, organization, team_member):
    link = unsubscribe_path(organization, team_member)
    changed = f"{link[:-3]}x{link[-2:]}" if link[-3] != "x" else f"{link[:-3]}y{link[-2:]}"
    assert client.post(changed).status_code == 404
    Membership.objects.filter(user=team_member).delete()
    assert client.get(link).status_code == 404


def test_an_invalid_token_is_404(client, db):
    assert client.post(reverse("unsubscribe", args=["nonsense"])).status_code == 404


@pytest.mark.parametrize("page", [OWN, TEAM, "/settings/notifications/"])
def test_where_emails_are_chosen_it_says_that_codescreen_mails_its_users_too(super_admin_client, page):
    shown = text(super_admin_client.get(page))
    assert "CodeScreen also mails its own users when somebody passes, fails or expires." in shown
    assert 'href="/help/emails/#two"' in shown
    assert 'id="two"' in text(super_admin_client.get("/help/emails/"))
