"""Connecting Lever by an API key, from the settings to the first invitation, in the region of the account."""

import html
import re

import pytest
from django.urls import reverse

from integrations.clients import provider
from integrations.health.checks.connections import check_connection
from integrations.health.lever_probe import probe
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.pages.overview.checklist import setup_steps

KEY, AUTHOR = "/settings/lever/key/", "/settings/lever/key/author/"


@pytest.fixture
def eu(sandbox):
    """The sandbox, whose account is in the EU."""
    sandbox.lever_does("settings", region="eu")
    return sandbox


def api_key(sandbox, *without):
    return sandbox.lever_does("key", without=list(without))["api_key"]


def lever_user(sandbox):
    """A user of the account who isn't the first Super Admin."""
    account = sandbox.lever.accounts["acme"]
    return next(
        user for user in account.users.values() if user.id != account.actor() and not user.deactivated_at
    )


def enter(client, key, region="eu", **more):
    return client.post(KEY, {"lever_api_key": key, "lever_region": region}, **more)


def connect(client, sandbox, key):
    enter(client, key)
    return client.post(AUTHOR, {"author": lever_user(sandbox).id}, follow=True)


def text(answer):
    return " ".join(html.unescape(answer.content.decode()).split())


def test_an_empty_organization_is_connected_by_a_key_when_its_author_is_chosen(
    super_admin_client, organization, eu
):
    page = text(super_admin_client.get("/settings/?change"))
    assert "For every company. A Super Admin of Lever makes a key" in page
    assert "For portals whose app Lever's partner programme has approved." in page
    asked = enter(super_admin_client, api_key(eu), follow=True)
    assert "In whose name does the portal write?" in text(asked)
    assert not LeverConnection.objects.exists()
    author = lever_user(eu)
    connected = super_admin_client.post(AUTHOR, {"author": author.id}, follow=True)
    assert f"written in the name of {author.name}" in text(connected)
    assert "hire" not in Organization.objects.get().lever_region.candidate_page("x")
    assert "Replace the key, or connect in the other way" in text(super_admin_client.get("/settings/"))


@pytest.mark.slow
def test_what_a_key_lacks_is_named_with_its_box_before_and_after_it_is_stored(
    super_admin_client, organization, eu
):
    key = api_key(eu, "stages:read:admin", "feedback:write:admin", "feedback:read:admin")
    page = text(enter(super_admin_client, key, follow=True))
    assert "Read: stages: to recognise the stages" in page.replace("<strong>", "").replace("</strong>", "")
    super_admin_client.post(AUTHOR, {"author": lever_user(eu).id})
    connection = LeverConnection.objects.get()
    assert connection.refused_scopes.split() == ["stages:read:admin", "feedback:write:admin"]
    [finding] = check_connection(Organization.objects.get())
    assert finding.code == "lever_scopes_missing"
    assert "Read: stages (to recognise" in finding.message
    assert "Read and Write: feedback (to write" in finding.message
    assert "API Credentials" in finding.fix


@pytest.mark.slow
def test_the_hourly_probe_finds_what_a_key_allows_by_now(super_admin_client, organization, eu):
    connect(super_admin_client, eu, api_key(eu))
    LeverConnection.objects.update(refused_scopes="stages:read:admin")
    organization = Organization.objects.get()
    probe(organization, provider.lever_client(organization))
    assert LeverConnection.objects.get().refused_scopes == ""


@pytest.mark.parametrize(
    ("key", "region", "fix"),
    [
        ("wrong", "eu", "Copy the whole key again or choose the other region"),
        ("", "worldwide", "choose the other region"),
        ("a\nb", "eu", "without line breaks"),
        (["users:read:admin", "users:write:admin"], "eu", "box “Read: users”"),
        ("a:b", "eu", "Copy the whole API key"),
    ],
)
def test_a_key_that_is_not_accepted_is_explained_at_its_field(
    super_admin_client, organization, eu, key, region, fix
):
    written = key if key and isinstance(key, str) else api_key(eu, *key)
    answer = enter(super_admin_client, written, region)
    assert answer.status_code == 200
    assert fix in text(answer)
    assert 'id="id_lever_api_key_error"' in text(answer)
    assert not LeverConnection.objects.exists()


@pytest.mark.slow
def test_a_key_is_not_stored_without_a_user(super_admin_client, organization, eu):
    key = api_key(eu)
    asked = enter(super_admin_client, key, follow=True)
    assert key not in text(asked)
    for author, said in (("", "Choose in whose name"), ("nobody", "doesn't list that user as active")):
        assert said in text(super_admin_client.post(AUTHOR, {"author": author}, follow=True))
    super_admin_client.post(AUTHOR, {"act": "cancel"})
    assert super_admin_client.get(AUTHOR).url == reverse("settings")
    assert not LeverConnection.objects.exists()
    assert key not in str(super_admin_client.session.items())


@pytest.mark.slow
def test_another_account_is_told_before_its_key_is_used(super_admin_client, organization, eu):
    connect(super_admin_client, eu, api_key(eu))
    LeverConnection.objects.update(lever_user_id="somebody", lever_user_name="Somebody Else")
    page = text(enter(super_admin_client, api_key(eu), follow=True))
    assert "Somebody Else" in page
    assert "is it another one?" in page


def test_a_consent_is_for_the_region_that_was_chosen(super_admin_client, organization, eu):
    begun = super_admin_client.post("/oauth/login/lever/", {"region": "eu"})
    assert begun.url.startswith(eu.lever.eu_url)
    accepted = eu.lever_does("consent", url=begun.url)
    super_admin_client.get(accepted["redirect"].removeprefix("http://testserver"))
    connection = LeverConnection.objects.get()
    assert (connection.is_working, connection.region) == (True, "eu")
    assert provider.lever_client(Organization.objects.get()).stages()


def done_steps() -> set[str]:
    """Return the steps of the set-up that are done."""
    return {step.code for step in setup_steps(Organization.objects.get()) if step.is_done}


def test_the_checklist_follows_once_its_key_is_connected_with_two_steps_done(
    super_admin_client, organization, eu
):
    [form] = re.findall(r'href="([^"#]+)#lever-key"', text(super_admin_client.get("/")))
    [following] = set(re.findall(r'name="next" value="([^"]+)"', text(super_admin_client.get(form))))
    given = {"lever_api_key": api_key(eu), "lever_region": "eu", "next": following}
    asked = super_admin_client.post(KEY, given)
    answer = super_admin_client.post(asked["Location"], {"author": lever_user(eu).id}, follow=True)
    assert answer.redirect_chain == [("/#next-step", 302)]
    assert "The webhook is made too." in text(answer)
    assert done_steps() == {"lever", "webhook"}
    assert len(eu.lever.accounts["acme"].events.webhooks) == 2


def test_a_key_that_may_not_make_webhooks_connects_and_the_page_says_so(super_admin_client, organization, eu):
    key = api_key(eu, "webhooks:write:admin", "webhooks:read:admin")
    assert "The portal could not make the webhook in Lever" in text(connect(super_admin_client, eu, key))
    assert done_steps() == {"lever"}


def test_connecting_makes_no_webhook_beside_one_made_by_hand(super_admin_client, organization, eu):
    super_admin_client.post("/settings/", {"lever_signature_token": "0123456789abcdef"})
    connect(super_admin_client, eu, api_key(eu))
    assert not eu.lever.accounts["acme"].events.webhooks
