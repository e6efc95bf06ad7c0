"""A session that is stolen, or left open at an unlocked computer, changes nothing of weight without a new proof."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.support.factories import recorded
from tests.support.page_text import text
from tests.support.second_factors import PASSWORD, forget_proofs, make_strong, prove_now, sign_in, with_app

#: A page of allauth's that wants a fresh proof.
APP = "/accounts/2fa/totp/activate/"
PROOF, CODE = "/accounts/reauthenticate/", "/accounts/2fa/reauthenticate/"


@pytest.fixture
def stolen(super_admin) -> Client:
    """A session whose proof is an hour old."""
    client = Client()
    sign_in(client, super_admin)
    forget_proofs(client)
    return client


def test_allauths_pages_keep_no_form_while_they_ask(stolen):
    answer = stolen.post(APP, {"code": "planted-secret-code"})
    assert answer["Location"] == f"{PROOF}?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"
    assert "nothing was changed yet" in text(stolen.get(answer["Location"]))
    session = Session.objects.get(pk=stolen.cookies["sessionid"].value)
    assert "planted" not in str(session.get_decoded())
    assert stolen.get(APP)["Location"].startswith(PROOF)


def test_the_password_is_the_proof_and_a_wrong_one_counts_as_at_sign_in(stolen, super_admin):
    for number in range(5):
        assert "t your password" in text(stolen.post(PROOF, {"password": f"guess {number}"}))
    assert recorded().filter(action="fail_sign_in").exists()
    assert stolen.post(PROOF, {"password": PASSWORD}).status_code == 429
    assert Client().post("/accounts/login/", {"login": super_admin.email, "password": "x"}).status_code == 429


def test_a_proof_counts_five_minutes_and_for_a_form_fifteen(client_for, super_admin):
    client = client_for(super_admin)
    for minutes, page, form in ((4, 200, 302), (6, 302, 302), (16, 302, 302)):
        forget_proofs(client, minutes * 60)
        assert client.get(APP).status_code == page
        answer = client.post("/accounts/sessions/")
        assert answer.status_code == form
        assert answer["Location"].startswith(PROOF) is (minutes > 15)


def test_who_has_a_second_factor_proves_with_it_and_not_with_the_password(stolen, super_admin):
    with_app(super_admin)
    prove_now(stolen)
    assert stolen.get(APP)["Location"].startswith(CODE)
    assert stolen.get(PROOF)["Location"] == CODE
    assert stolen.post(PROOF, {"password": PASSWORD})["Location"] == CODE
    make_strong(stolen)
    assert not stolen.get(APP).headers.get("Location", "").startswith(CODE)


def test_a_copied_cookie_shares_no_proof(stolen):
    copy = Client()
    copy.cookies["sessionid"] = stolen.cookies["sessionid"].value
    assert copy.get("/account/").status_code == 200
    assert stolen.post(f"{PROOF}?next={APP}", {"password": PASSWORD})["Location"] == APP
    assert stolen.get(APP).status_code == 200
    assert copy.get(APP)["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("asked_anew", [False, True])
def test_what_a_provider_says_is_no_proof(stolen, asked_anew):
    """Its organization could else plant a factor, which opens what the person joins later."""
    prove_now(stolen, "socialaccount", reauthenticated=asked_anew)
    assert stolen.get(APP)["Location"].startswith(PROOF)


def test_a_proof_that_a_node_took_whose_clock_is_ahead_counts(stolen):
    forget_proofs(stolen, -3)
    assert stolen.get(APP).status_code == 200
    forget_proofs(stolen, -3600)
    assert stolen.get(APP)["Location"].startswith(PROOF)


def test_proofs_of_another_person_in_the_same_browser_are_no_proof(stolen, team_member):
    session = stolen.session
    prove_now(stolen)
    records = stolen.session["account_authentication_methods"]
    session["account_authentication_methods"] = records
    session["account_authentication_methods_user"] = str(team_member.pk)
    session.save()
    assert stolen.get(APP)["Location"].startswith(PROOF)


# a Super Admin's session that is hours old opens nobody else's account


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
    assert getattr(old, method)(address, form)["Location"].startswith(PROOF)
    member.refresh_from_db()
    organization.refresh_from_db()
    assert (member.role, organization.requires_second_factor) == ("team_member", True)
    assert Authenticator.objects.filter(user=member.user).exists()
    assert not organization.pending_memberships.exists()
    assert not organization.api_tokens.exists()
    old.post(PROOF, {"password": PASSWORD})
    answer = getattr(old, method)(address, form)
    assert not answer.headers.get("Location", "").startswith(PROOF)


def test_other_roles_are_given_without_being_asked_again(old, organization):
    form = {"email": "colleague@acme.example", "role": "team_member"}
    assert not old.post(reverse("team"), form).headers.get("Location", "").startswith(PROOF)
    assert organization.pending_memberships.exists()


def test_a_page_that_was_shown_after_a_proof_makes_no_token_later(old, organization):
    """The answer holds the token, so the proof itself must be fresh."""
    old.post(PROOF, {"password": PASSWORD})
    assert "Make the token" in old.get(reverse("settings")).content.decode()
    forget_proofs(old)
    assert old.post(reverse("api-tokens"), TOKEN)["Location"].startswith(PROOF)
    assert not organization.api_tokens.exists()


def test_an_old_session_sees_the_settings_without_a_field_for_a_secret(old, organization):
    for page in (reverse("settings"), reverse("notification-settings")):
        shown = old.get(page).content.decode()
        assert 'type="password"' not in shown
        assert "?change" in shown
        old.post(PROOF, {"password": PASSWORD})
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
    assert save(root_client, team_member, **values)["Location"].startswith(PROOF)
    address = team_member.email
    team_member.refresh_from_db()
    assert (team_member.email, team_member.is_superuser) == (address, False)


def test_an_operators_old_session_adds_no_account_and_sets_nobodys_password(root_client, team_member):
    form = dict.fromkeys(["password1", "password2"], "seven lorries under water")
    form |= {"username": "evil", "usable_password": "true"}
    page = reverse("admin:auth_user_password_change", args=[team_member.pk])
    answers = [root_client.post(address, form) for address in (reverse("admin:auth_user_add"), page)]
    for answer in (*answers, root_client.get(page)):
        assert answer["Location"].startswith(PROOF)
    assert not User.objects.filter(username="evil").exists()
    team_member.refresh_from_db()
    assert team_member.check_password(PASSWORD)
