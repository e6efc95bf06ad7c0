"""Requiring a second factor: who may, what it closes until one is given, and resetting a lost one."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse

from integrations.audit.models.entry import AuditAction
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.pages.test_access import ALLOWED
from tests.support import factories
from tests.support.factories import recorded
from tests.support.mailbox import sent_emails
from tests.support.second_factors import code_of, make_strong, sign_in, with_app, with_recovery_codes

PAGE, TEAM = "/settings/security/", "/settings/team/"
SET_UP, GIVE = "/accounts/2fa/", "/accounts/2fa/reauthenticate/"


@pytest.fixture
def requiring(organization) -> Organization:
    """The organization, which requires a second factor."""
    Organization.objects.filter(pk=organization.pk).update(requires_second_factor=True)
    organization.refresh_from_db()
    return organization


def requires_it(organization: Organization) -> bool:
    return Organization.objects.get(pk=organization.pk).requires_second_factor


def test_a_super_admin_requires_it_until_the_box_is_not_ticked(super_admin_client, organization):
    make_strong(super_admin_client)
    super_admin_client.post(PAGE, {"requires_second_factor": "on"})
    assert requires_it(organization)
    super_admin_client.post(PAGE)
    assert not requires_it(organization)


def test_the_page_says_which_members_have_none(super_admin_client, super_admin, team_member):
    with_app(team_member)
    page = " ".join(super_admin_client.get(TEAM).content.decode().split())
    assert "1 of 2 has no second factor" in page
    assert 'Reset…<span class="visually-hidden"> the second factor of ' + str(team_member) in page


# what is closed


def pages_without_rows() -> Iterator[str]:
    for name in ALLOWED:
        with suppress(NoReverseMatch):
            yield reverse(name)


def test_without_one_every_page_leads_to_setting_one_up_and_shows_nothing(requiring, super_admin_client):
    answers = [super_admin_client.post(reverse("lever-connect"), {"organization": requiring.slug})]
    for address in pages_without_rows():
        answers += [super_admin_client.get(address), super_admin_client.post(address)]
    for answer in answers:
        assert answer.status_code == 302, answer.request
        assert answer["Location"].startswith(SET_UP), answer.request
        assert answer.content == b""


def test_pages_that_need_no_organization_name_neither_people_nor_pages_of_it(
    requiring, team_member, client_for
):
    owner = factories.member(requiring, Membership.Role.SUPER_ADMIN, "the-other-owner")
    client = client_for(team_member)
    for address in ("/account/", "/nowhere/", SET_UP, "/accounts/reauthenticate/"):
        text = client.get(address).content.decode()
        assert owner.username not in text
        assert "/activity/" not in text


def test_the_way_leads_back_to_the_page_once_the_factor_is_given(requiring, super_admin, super_admin_client):
    app = with_app(super_admin)  # set up in another session
    answer = super_admin_client.get("/activity/?status=held")
    assert answer["Location"] == f"{GIVE}?next=%2Factivity%2F%3Fstatus%3Dheld"
    done = super_admin_client.post(answer["Location"], {"code": code_of(app)})
    assert done["Location"] == "/activity/?status=held"
    assert super_admin_client.get("/activity/").status_code == 200


def test_other_organizations_of_the_person_stay_open(requiring, super_admin, super_admin_client):
    other = factories.OrganizationFactory.create(name="Open House")
    Membership.objects.create(user=super_admin, organization=other, role=Membership.Role.ADMIN)
    super_admin_client.post(reverse("switch-organization"), {"organization": other.slug})
    assert super_admin_client.get("/").status_code == 200
    super_admin_client.post(reverse("switch-organization"), {"organization": requiring.slug})
    page = super_admin_client.get("/", follow=True)
    assert page.request["PATH_INFO"] == SET_UP
    assert "Open House" in page.content.decode()


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_the_django_admin_is_closed_to_staff_and_superusers_until_then(
    requiring, super_admin, client_for, right
):
    User.objects.filter(pk=super_admin.pk).update(**{"is_staff": True, right: True})
    client = client_for(super_admin)
    for address in ("/admin/", f"/admin/integrations/organization/{requiring.pk}/change/"):
        assert client.get(address)["Location"].startswith(SET_UP), address
    make_strong(client)
    assert client.get("/admin/integrations/invitation/").status_code == 200


def test_staff_of_another_organization_too_see_that_one_alone(requiring, super_admin, client_for):
    User.objects.filter(pk=super_admin.pk).update(is_staff=True)
    other = factories.OrganizationFactory.create()
    Membership.objects.create(user=super_admin, organization=other, role=Membership.Role.ADMIN)
    theirs = factories.InvitationFactory.create(organization=other, candidate_name="Visible Birch")
    factories.InvitationFactory.create(organization=requiring, candidate_name="Hidden Yew")
    text = client_for(super_admin).get("/admin/integrations/invitation/").content.decode()
    assert theirs.candidate_name in text
    assert "Hidden Yew" not in text


def test_an_operator_of_a_portal_that_others_reach_needs_one_of_their_own(organization, client_for, settings):
    settings.OPERATORS_NEED_SECOND_FACTOR = True
    root = User.objects.create_superuser("root", "root@portal.example")
    client = client_for(root)
    asked = client.get("/admin/integrations/candidate/")
    assert asked["Location"].startswith(SET_UP)
    assert "so it needs a second factor" in client.get(asked["Location"]).content.decode()
    with_app(root)
    assert client.get("/admin/")["Location"].startswith(GIVE)
    make_strong(client)
    assert client.get("/admin/").status_code == 200


# resetting


@pytest.fixture
def lost(team_member) -> User:
    """A member who has lost their phone and their codes."""
    with_app(team_member)
    with_recovery_codes(team_member)
    return team_member


def reset(client: Client, user: User, reason: str = "because") -> str:
    """Ask for the reset of a member's factor. Return the page that is shown."""
    membership = Membership.objects.filter(user=user).earliest("pk")
    address = reverse("member-second-factor", kwargs={"pk": membership.pk})
    page: str = client.post(address, {"reason": reason}, follow=True).content.decode()
    return page


def test_a_super_admin_resets_a_members_factor_which_ends_the_sessions_on_the_lost_device(
    super_admin_client, super_admin, lost
):
    thief, bystander = Client(), Client()
    thief.force_login(lost)
    bystander.force_login(factories.UserFactory.create())
    assert thief.get("/account/").status_code == 200
    reset(super_admin_client, lost, "Lost the phone; I called back.")
    assert thief.get("/account/")["Location"].startswith("/accounts/login/")
    assert bystander.get("/account/").status_code == super_admin_client.get("/account/").status_code == 200
    assert not Authenticator.objects.filter(user=lost).exists()
    assert sign_in(Client(), lost)["Location"] == "/"
    entry = recorded().get(action=AuditAction.RESET_SECOND_FACTOR)
    assert entry.reason == "Lost the phone; I called back."
    assert entry.changes == {"factor": ["authenticator app", ""]}
    [message] = sent_emails()
    assert message.to == [lost.email]
    assert f"reset by {super_admin}" in str(message.body)


@pytest.mark.parametrize("is_superuser", [False, True])
def test_a_person_of_two_organizations_and_a_superuser_are_the_operators_to_reset(
    super_admin_client, lost, is_superuser
):
    if is_superuser:
        User.objects.filter(pk=lost.pk).update(is_superuser=True)
    else:
        elsewhere = factories.OrganizationFactory.create(name="Elsewhere House")
        Membership.objects.create(user=lost, organization=elsewhere, role=Membership.Role.ADMIN)
    page = reset(super_admin_client, lost)
    assert "manage.py reset_second_factor" in page
    assert "Elsewhere" not in page
    assert Authenticator.objects.exists()


def test_what_can_not_be_reset_is_said(super_admin_client, super_admin, lost):
    assert "Say why" in reset(super_admin_client, lost, " ")
    assert Authenticator.objects.exists()
    assert "has no second factor" in reset(super_admin_client, super_admin)
    assert not recorded().exists()
