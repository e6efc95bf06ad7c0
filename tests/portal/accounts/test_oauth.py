"""The end of Lever's consent: the redirect, the catalog refresh, and a Lever account of another organization."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from integrations.audit.models.entry import AuditEntry
from integrations.lever.models.connection import LeverAccess, LeverConnection
from integrations.lever.oauth import scopes_of
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.pages.settings import lever_connect
from integrations.store.encryption import sealed
from tests.support import factories


@pytest.fixture
def client(super_admin_client):
    """The browser of a Super Admin, who has signed in just now."""
    return super_admin_client


def consent(client, sandbox, **form):
    """Accept Lever's consent and return the response of the callback."""
    begun = client.post(reverse("lever-connect"), form)
    accepted = sandbox.lever_does("consent", url=begun["Location"])
    return client.get(accepted["redirect"].removeprefix("http://testserver"))


def test_consent_returns_to_its_page_and_requests_a_catalog_refresh(client, organization, sandbox, refreshed):
    assert consent(client, sandbox, next="/")["Location"] == "/"
    assert refreshed == [organization]
    # the first attempt's `next` isn't kept for the second
    assert consent(client, sandbox)["Location"] == "/settings/"
    assert "evil" not in consent(client, sandbox, next="https://evil.example/")["Location"]


@pytest.mark.parametrize("attaches", [False, True])
def test_the_scope_for_files_is_asked_for_only_when_reports_are_attached(
    client, organization, sandbox, refreshed, attaches
):
    Organization.objects.update(attach_report=attaches)
    begun = client.post(reverse("lever-connect"))
    asked = parse_qs(urlsplit(begun["Location"]).query)["scope"][0].split()
    assert asked == list(scopes_of(attaches_files=attaches))
    assert consent(client, sandbox).status_code == 302
    granted = set(LeverConnection.objects.get(organization=organization).scopes.split())
    assert ("files:write:admin" in granted) == attaches


DENIED = {"error": "access_denied"}
WRONG_SCOPE = {"error": "invalid_scope", "error_description": "secret words"}


@pytest.mark.parametrize(
    ("form", "answer", "leads_to", "words"),
    [
        ({"next": "/"}, DENIED, "/", ""),
        ({}, DENIED, "/settings/", "Only a Super Admin of your Lever account can accept"),
        (
            {},
            WRONG_SCOPE,
            "/settings/",
            "If it is files:write:admin, an Admin can also switch off the report",
        ),
    ],
)
def test_a_consent_that_lever_refuses_is_explained_on_its_page(
    client, organization, sandbox, form, answer, leads_to, words
):
    begun = client.post(reverse("lever-connect"), form)
    state = parse_qs(urlsplit(begun["Location"]).query)["state"][0]
    page = client.get("/oauth/complete/lever/", {**answer, "state": state}, follow=True)
    assert page.redirect_chain[0][0] == leads_to
    assert words in page.content.decode()
    assert "denied" not in page.content.decode()
    assert "secret words" not in page.content.decode()


def test_connecting_a_lever_account_of_another_organization_warns(client, organization, sandbox, refreshed):
    consent(client, sandbox)
    grant = LeverConnection.objects.get(organization=organization)
    assert "same Lever account" not in client.get("/").content.decode()
    factories.LeverConnectionFactory.create(lever_account_id=grant.lever_account_id)
    consent(client, sandbox)
    assert "same Lever account" in client.get("/").content.decode()
    assert LeverConnection.objects.get(organization=organization).is_working


# who signed in, and to which account


def test_who_signed_in_to_lever_is_stored_and_named(client, organization, sandbox, refreshed):
    consent(client, sandbox)
    connection = LeverConnection.objects.get(organization=organization)
    account = sandbox.lever.accounts["acme"]
    user = account.users[connection.lever_user_id]
    assert (connection.lever_user_name, connection.lever_user_email) == (user.name, user.email)
    page = client.get("/settings/").content.decode()
    assert page.count(f"{user.name} ({user.email})") == 2  # the message, and the connection


def test_a_consent_is_stored_although_lever_does_not_say_who_gave_it(
    client, organization, sandbox, refreshed
):
    rule = {"method": "GET", "path": "/v1/users/", "kind": "status", "times": 9, "status": 403}
    sandbox.lever_does("faults", seed=1, rules=[rule])
    consent(client, sandbox)
    connection = LeverConnection.objects.get(organization=organization)
    assert (connection.is_working, connection.user) == (True, "")


@pytest.fixture
def asked(client, connected_organization, sandbox, refreshed):
    """The connection to another Lever account than that of the consent which was just given."""
    LeverConnection.objects.update(
        lever_account_id="account-before",
        **sealed(LeverConnection.objects.get(), access_token="token-before"),
    )
    assert consent(client, sandbox)["Location"] == reverse("lever-account")
    return LeverConnection.objects.get(organization=connected_organization)


def test_another_lever_account_is_not_used_before_a_yes(client, asked, sandbox, refreshed):
    account = sandbox.lever.accounts["acme"]
    page = client.get(reverse("lever-account")).content.decode()
    assert "account-before" in page
    assert account.id in page
    assert (asked.lever_account_id, asked.access_token, refreshed) == ("account-before", "token-before", [])
    client.post(reverse("lever-account"), {"act": "use"})
    asked.refresh_from_db()
    assert asked.lever_account_id == account.id
    assert asked.access_token != "token-before"
    assert len(refreshed) == 1
    entry = AuditEntry.objects.filter(action="connect").latest("pk")
    assert entry.changes == {"lever_account_id": ["account-before", account.id]}


def test_the_account_from_before_is_kept_after_a_no(client, asked):
    page = client.post(reverse("lever-account"), {"act": "keep"}, follow=True).content.decode()
    assert "Nothing was changed" in page
    asked.refresh_from_db()
    assert (asked.lever_account_id, asked.access_token) == ("account-before", "token-before")
    # the grant is gone from the session
    assert (
        "took too long" in client.post(reverse("lever-account"), {"act": "use"}, follow=True).content.decode()
    )
    asked.refresh_from_db()
    assert asked.lever_account_id == "account-before"


def test_the_session_holds_the_waiting_grant_encrypted_and_for_its_organization_alone(
    client, asked, super_admin, stranger
):
    waiting = client.session["lever_access"]
    assert "access_token" not in str(base64.urlsafe_b64decode(waiting.split(":")[0] + "==="))
    other = stranger.memberships.get().organization
    Membership.objects.create(user=super_admin, organization=other, role=Membership.Role.SUPER_ADMIN)
    client.post(reverse("switch-organization"), {"organization": other.slug})
    client.post(reverse("lever-account"), {"act": "use"})
    assert not LeverConnection.objects.filter(organization=other).exists()


def test_a_question_that_waited_too_long_is_not_answered(client, asked, monkeypatch):
    monkeypatch.setattr(lever_connect, "_WAITS_SECONDS", -1)
    assert client.get(reverse("lever-account"))["Location"] == "/settings/"
    assert "lever_access" not in client.session
    client.post(reverse("lever-account"), {"act": "use"})
    asked.refresh_from_db()
    assert asked.lever_account_id == "account-before"


def test_a_later_consent_replaces_the_waiting_one(client, asked, sandbox):
    LeverConnection.objects.update(lever_account_id=sandbox.lever.accounts["acme"].id)
    consent(client, sandbox)
    assert "lever_access" not in client.session
    asked.refresh_from_db()
    assert asked.access_token != "token-before"


def test_no_token_of_a_grant_is_in_its_text():
    grant = LeverAccess({"access_token": "secret-token"}, "account", "user", "Alder", "alder@portal.example")
    assert "secret-token" not in repr(grant)
