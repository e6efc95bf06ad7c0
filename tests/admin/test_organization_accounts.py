"""Accounts in the admin: the portal's operator leaves an entry with every change, and ends what was open before."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from integrations.members.models.membership import Membership
from tests.support import factories
from tests.support.factories import recorded
from tests.support.mailbox import sent_emails
from tests.support.second_factors import signed_in

NEW_PASSWORD = "seven lorries under water"


@pytest.fixture
def operator(db) -> User:
    return User.objects.create_superuser("operator", "operator@portal.example")


@pytest.fixture
def root(operator) -> Client:
    return signed_in(operator)


def page(user: User, name: str = "user_change") -> str:
    return reverse(f"admin:auth_{name}", args=[user.pk])


def save(client: Client, user: User, **values: str) -> int:
    initial = client.get(page(user)).context["adminform"].form.initial
    form = {name: value for name, value in initial.items() if value is not None and value is not False}
    return client.post(page(user), form | values).status_code


@pytest.mark.parametrize("key", ["{}", "+{}"])
def test_a_password_set_by_an_operator_is_recorded_told_and_ends_the_sessions(
    root, operator, team_member, key
):
    theirs = Client()
    theirs.force_login(team_member)
    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    address = f"/admin/auth/user/{key.format(team_member.pk)}/password/"
    assert root.post(address, form).status_code == 302
    entry = recorded().get(action="change_password")
    assert (entry.actor, entry.target) == (operator, str(team_member))
    assert entry.changes == {"password": ["set", "set"]}
    assert not UserSession.objects.filter(user=team_member).exists()
    assert theirs.get("/account/")["Location"].startswith("/accounts/login/")
    assert [message.to for message in sent_emails()] == [[team_member.email]]


def test_a_refused_password_is_no_change(root, team_member):
    form = {"password1": "short", "password2": "short", "usable_password": "true"}
    assert root.post(page(team_member, "user_password_change"), form).status_code == 200
    assert not recorded().filter(action="change_password").exists()
    assert root.get("/admin/auth/user/0x1/password/").status_code in {302, 404}


def test_rights_and_addresses_given_by_an_operator_are_recorded_in_each_organization(
    root, operator, team_member
):
    other = factories.OrganizationFactory.create()
    Membership.objects.create(user=team_member, organization=other, role=Membership.Role.ADMIN)
    theirs = Client()
    theirs.force_login(team_member)
    was = team_member.email
    assert save(root, team_member, email="else@acme.example", is_superuser="on") == 302
    entries = recorded().filter(action="change_account")
    assert {entry.organization for entry in entries} == {other, *organizations_of(team_member)}
    for entry in entries:
        assert entry.actor == operator
        assert entry.changes == {"email": [was, "else@acme.example"], "is_superuser": [False, True]}
    assert theirs.get("/account/")["Location"].startswith("/accounts/login/")


def organizations_of(user: User) -> set[object]:
    return {membership.organization for membership in user.memberships.all()}


def test_saving_an_unchanged_account_writes_no_entry_and_ends_no_session(root, team_member):
    theirs = Client()
    theirs.force_login(team_member)
    assert save(root, team_member) == 302
    assert not recorded().exclude(action="sign_in").exists()
    assert theirs.get("/account/").status_code == 200


def test_a_new_account_is_recorded(root, operator):
    form = {
        "username": "newcomer",
        "usable_password": "true",
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
    }
    assert root.post(reverse("admin:auth_user_add"), form).status_code == 302
    entry = recorded().get(action="add_account")
    assert (entry.actor, entry.target, entry.organization) == (operator, "newcomer", None)


def test_no_account_is_deleted_with_what_its_person_did(root, super_admin):
    assert root.post(page(super_admin, "user_delete"), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [super_admin.pk], "post": "yes"}
    root.post(reverse("admin:auth_user_changelist"), action)
    assert User.objects.filter(pk=super_admin.pk).exists()
    assert not admin.site.is_registered(Group)


def test_djangos_permissions_open_no_accounts_to_staff(team_member, super_admin):
    """Staff with `auth.change_user` could give themselves the password of an operator."""
    User.objects.filter(pk=team_member.pk).update(is_staff=True)
    team_member.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    client = Client()
    client.force_login(User.objects.get(pk=team_member.pk))
    for name in ("user_change", "user_password_change"):
        assert client.get(page(super_admin, name)).status_code in {302, 403, 404}, name
    assert client.get(reverse("admin:auth_user_add")).status_code == 403
