"""A Super Admin's session that is hours old opens nobody else's account: it takes the password again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from integrations.models import AuthenticatorApp, Membership, Organization
from tests.second_factors import PASSWORD, change_session, make_strong, with_app

CONFIRM = "/account/confirm/"


@pytest.fixture
def member(team_member) -> Membership:
    with_app(team_member)
    return Membership.objects.get(user=team_member)


@pytest.fixture
def old(super_admin_client, organization) -> Client:
    """A session in which a second factor was given hours ago."""
    Organization.objects.update(requires_second_factor=True)
    make_strong(super_admin_client)
    change_session(super_admin_client, proven_at=0.0)
    return super_admin_client


ACTS: dict[str, Callable[[Client, Membership], Any]] = {
    "look at a member's link": lambda client, member: client.get(
        reverse("member-link", kwargs={"pk": member.pk})
    ),
    "open the reset of a factor": lambda client, member: client.get(
        reverse("member-second-factor", kwargs={"pk": member.pk})
    ),
    "reset a factor": lambda client, member: client.post(
        reverse("member-second-factor", kwargs={"pk": member.pk}), {"reason": "because"}
    ),
    "invite a Super Admin": lambda client, member: client.post(
        reverse("member-invite"), {"email": "friend@evil.example", "role": "super_admin"}
    ),
    "make a Super Admin": lambda client, member: client.post(
        reverse("member-role", kwargs={"pk": member.pk}), {"role": "super_admin"}
    ),
    "require no second factor": lambda client, member: client.post(reverse("security")),
}


@pytest.mark.parametrize("name", ACTS)
def test_an_old_session_is_asked_for_the_password_and_changes_nothing(old, member, organization, name):
    assert ACTS[name](old, member)["Location"].startswith(CONFIRM)
    member.refresh_from_db()
    organization.refresh_from_db()
    assert (member.role, organization.requires_second_factor) == ("team_member", True)
    assert AuthenticatorApp.objects.filter(user=member.user).exists()
    assert not organization.pending_memberships.exists()


@pytest.mark.parametrize("name", ACTS)
def test_it_is_done_once_the_password_was_given(old, member, name):
    old.post(CONFIRM, {"password": PASSWORD})
    answer = ACTS[name](old, member)
    assert not answer.headers.get("Location", "").startswith(CONFIRM)


def test_other_roles_are_given_without_being_asked_again(old, organization):
    form = {"email": "colleague@acme.example", "role": "team_member"}
    assert not old.post(reverse("member-invite"), form).headers.get("Location", "").startswith(CONFIRM)
    assert organization.pending_memberships.exists()


def test_an_operators_old_session_sets_nobodys_password(client, team_member):
    root = User.objects.create_superuser("root", "root@portal.example")
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("admin:auth_user_password_change", args=[team_member.pk])
    form = {"password1": "seven lorries under water", "password2": "seven lorries under water"}
    for answer in (client.get(page), client.post(page, form)):
        assert answer["Location"].startswith(CONFIRM)
    team_member.refresh_from_db()
    assert team_member.check_password(PASSWORD)
