"""A Super Admin's session that is hours old opens nobody else's account: it takes the password again."""

import json
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


MEMBER = {"pk": "member"}
#: What is asked for: the method, the page, the rows in its address, the form.
ACTS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "look at a member's link": ("get", "member-link", MEMBER, {}),
    "reset a factor": ("post", "member-second-factor", MEMBER, {"reason": "because"}),
    "invite a Super Admin": (
        "post",
        "team",
        {},
        {"email": "friend@evil.example", "role": "super_admin"},
    ),
    "make a Super Admin": ("post", "member-role", MEMBER, {"role": "super_admin"}),
    "require no second factor": ("post", "security", {}, {}),
    "enter a key": ("post", "settings", {}, {"codescreen_api_key": "evil"}),
    "enter a token": ("post", "settings", {}, {"lever_signature_token": "evil" * 9}),
    "open the form of a key": ("get", "settings", {}, {"change": ""}),
    "replace the webhook address": ("post", "address-replace", {}, {}),
    "enter a chat room": (
        "post",
        "notification-settings",
        {},
        {"url": "https://hooks.slack.com/services/evil"},
    ),
    "remove the chat room": ("post", "notification-settings", {}, {"remove": "1"}),
    "make a webhook": ("post", "webhooks-make", {}, {}),
    "remove the webhooks": ("post", "webhooks-remove", {}, {}),
    "retire a token": ("post", "token-retire", {"pk": 1, "which": "current"}, {}),
    "rotate a token": ("post", "token-rotate", {"pk": 1}, {}),
    "rotate a token of programs": ("post", "api-token-rotate", {"pk": 1}, {}),
    "connect Lever": ("post", "lever-connect", {}, {}),
    "answer about another account": ("post", "lever-account", {}, {"act": "use"}),
    "disconnect Lever": ("post", "lever-disconnect", {}, {}),
    "make a token for programs": ("post", "api-tokens", {}, TOKEN),
}


@pytest.mark.parametrize("name", ACTS)
def test_an_old_session_is_asked_for_the_password_before_it_changes_anything(old, member, organization, name):
    method, page, rows, form = ACTS[name]
    address = reverse(page, kwargs={key: member.pk if row == "member" else row for key, row in rows.items()})
    assert getattr(old, method)(address, form)["Location"].startswith(CONFIRM)
    member.refresh_from_db()
    organization.refresh_from_db()
    assert (member.role, organization.requires_second_factor) == ("team_member", True)
    assert Authenticator.objects.filter(user=member.user).exists()
    assert not organization.pending_memberships.exists()
    assert not organization.api_tokens.exists()
    old.post(CONFIRM, {"password": PASSWORD})
    answer = getattr(old, method)(address, form)
    assert not answer.headers.get("Location", "").startswith(CONFIRM)


def test_other_roles_are_given_without_being_asked_again(old, organization):
    form = {"email": "colleague@acme.example", "role": "team_member"}
    assert not old.post(reverse("team"), form).headers.get("Location", "").startswith(CONFIRM)
    assert organization.pending_memberships.exists()


def test_a_page_that_was_shown_after_a_proof_makes_no_token_later(old, organization):
    """The answer holds the token, so the proof itself must be fresh."""
    old.post(CONFIRM, {"password": PASSWORD})
    assert "Make the token" in old.get(reverse("settings")).content.decode()
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


def test_an_operators_old_session_adds_no_account_and_sets_nobodys_password(root_client, team_member):
    form = dict.fromkeys(["password1", "password2"], "seven lorries under water")
    form |= {"username": "evil", "usable_password": "true"}
    page = reverse("admin:auth_user_password_change", args=[team_member.pk])
    answers = [root_client.post(address, form) for address in (reverse("admin:auth_user_add"), page)]
    for answer in (*answers, root_client.get(page)):
        assert answer["Location"].startswith(CONFIRM)
    assert not User.objects.filter(username="evil").exists()
    team_member.refresh_from_db()
    assert team_member.check_password(PASSWORD)
