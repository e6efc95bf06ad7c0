"""A Super Admin's session that is hours old opens nobody else's account: it takes the password again."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.support.second_factors import PASSWORD, forget_proofs, make_strong, with_app

CONFIRM = "/accounts/reauthenticate/"
TOKEN = {"name": "evil", "scopes": ["candidates"], "days": "9"}


@pytest.fixture
def member(team_member) -> Membership:
    with_app(team_member)
    return Membership.objects.get(user=team_member)


@pytest.fixture
def old(super_admin_client, organization) -> Client:
    """A session in which a second factor was given hours ago."""
    Organization.objects.update(requires_second_factor=True)
    make_strong(super_admin_client)
    forget_proofs(super_admin_client)
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
    "enter a key": lambda client, member: client.post(reverse("settings"), {"codescreen_api_key": "evil"}),
    "enter a token": lambda client, member: client.post(
        reverse("settings"), {"lever_signature_token": "evil" * 9}
    ),
    "open the form of a key": lambda client, member: client.get(reverse("settings"), {"change": ""}),
    "replace the webhook address": lambda client, member: client.post(
        reverse("address-replace"), {"overlap_days": "0"}
    ),
    "enter a chat room": lambda client, member: client.post(
        reverse("notification-settings"), {"url": "https://hooks.slack.com/services/evil"}
    ),
    "remove the chat room": lambda client, member: client.post(
        reverse("notification-settings"), {"remove": "1"}
    ),
    "make a webhook": lambda client, member: client.post(reverse("webhooks-make")),
    "remove the webhooks": lambda client, member: client.post(reverse("webhooks-remove")),
    "retire a token": lambda client, member: client.post(reverse("token-retire", args=[1, "current"])),
    "connect Lever": lambda client, member: client.post(reverse("lever-connect")),
    "answer about another account": lambda client, member: client.post(
        reverse("lever-account"), {"act": "use"}
    ),
    "disconnect Lever": lambda client, member: client.post(reverse("lever-disconnect")),
    "make a token for programs": lambda client, member: client.post(reverse("api-tokens"), TOKEN),
}


@pytest.mark.parametrize("name", ACTS)
def test_an_old_session_is_asked_for_the_password_and_changes_nothing(old, member, organization, name):
    assert ACTS[name](old, member)["Location"].startswith(CONFIRM)
    member.refresh_from_db()
    organization.refresh_from_db()
    assert (member.role, organization.requires_second_factor) == ("team_member", True)
    assert Authenticator.objects.filter(user=member.user).exists()
    assert not organization.pending_memberships.exists()
    assert not organization.api_tokens.exists()


@pytest.mark.parametrize("name", ACTS)
def test_it_is_done_once_the_password_was_given(old, member, name):
    old.post(CONFIRM, {"password": PASSWORD})
    answer = ACTS[name](old, member)
    assert not answer.headers.get("Location", "").startswith(CONFIRM)


def test_other_roles_are_given_without_being_asked_again(old, organization):
    form = {"email": "colleague@acme.example", "role": "team_member"}
    assert not old.post(reverse("member-invite"), form).headers.get("Location", "").startswith(CONFIRM)
    assert organization.pending_memberships.exists()


def test_a_page_that_was_shown_after_a_proof_makes_no_token_later(old, organization):
    """The answer holds the token, so the proof itself must be fresh."""
    old.post(CONFIRM, {"password": PASSWORD})
    assert old.get(reverse("api-tokens")).status_code == 200
    forget_proofs(old)
    assert old.post(reverse("api-tokens"), TOKEN)["Location"].startswith(CONFIRM)
    assert not organization.api_tokens.exists()


def test_an_old_session_sees_the_settings_without_a_field_for_a_secret(old, organization):
    for page in (reverse("settings"), reverse("notification-settings")):
        shown = old.get(page).content.decode()
        assert 'type="password"' not in shown
        assert "?change" in shown
        old.post(CONFIRM, {"password": PASSWORD})
        assert 'type="password"' in old.get(page).content.decode()
        forget_proofs(old)


def save(client: Client, row: Model, **values: str) -> Any:
    """Send the admin's form of a row, with some values changed."""
    page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    initial = client.get(page).context["adminform"].form.initial
    form = {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in initial.items()
        if value is not None and value is not False
    }
    return client.post(page, form | values)


@pytest.fixture
def root_client(client, db) -> Client:
    """A session of the portal's operator in which nothing was proven lately."""
    root = User.objects.create_superuser("root", "root@portal.example", PASSWORD)
    client.force_login(root, backend="portal.accounts.backend.PasswordBackend")
    return client


@pytest.mark.parametrize("values", [{"is_superuser": "on"}, {"email": "else@evil.example"}])
def test_an_operators_old_session_changes_nobodys_account(root_client, team_member, values):
    assert save(root_client, team_member, **values)["Location"].startswith(CONFIRM)
    address = team_member.email
    team_member.refresh_from_db()
    assert (team_member.email, team_member.is_superuser) == (address, False)


def test_an_operators_old_session_adds_no_account(root_client):
    password = "seven lorries under water"
    form = {"username": "evil", "usable_password": "true", "password1": password, "password2": password}
    assert root_client.post(reverse("admin:auth_user_add"), form)["Location"].startswith(CONFIRM)
    assert not User.objects.filter(username="evil").exists()


def test_an_operators_old_session_sets_nobodys_password(root_client, team_member):
    page = reverse("admin:auth_user_password_change", args=[team_member.pk])
    form = {"password1": "seven lorries under water", "password2": "seven lorries under water"}
    for answer in (root_client.get(page), root_client.post(page, form)):
        assert answer["Location"].startswith(CONFIRM)
    team_member.refresh_from_db()
    assert team_member.check_password(PASSWORD)
