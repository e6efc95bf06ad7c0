"""Single sign-on in Chromium, with a provider over real HTTP: set up, tried, required, and used."""

import re

import pytest
from django.test.utils import override_settings
from playwright.sync_api import Browser, expect

from integrations.members.models.membership import Membership
from integrations.single_sign_on.models import ProviderIdentity, SignInDomain
from tests.portal.accounts.single_sign_on_scene import prove, set_up
from tests.support import factories
from tests.support.browsing import Visit
from tests.support.identity_provider import PORTAL_SECRET, Provider, serving
from tests.support.nameserver import serving_names
from tests.support.second_factors import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def provider(live_server):
    """A provider over HTTP, which is allowed here as an operator would."""
    provider = Provider("", email="owner@acme.example")
    with (
        serving(provider),
        override_settings(
            ALLOW_PRIVATE_ADDRESSES=True, PORTAL_URL=live_server.url, ALLOWED_HOSTS=["localhost", "127.0.0.1"]
        ),
    ):
        yield provider


def test_single_sign_on_is_set_up_tried_required_and_used(
    browser: Browser, live_server, provider, monkeypatch
):
    organization = factories.OrganizationFactory.create(name="Acme", slug="acme")
    owner = factories.UserFactory.create(username="owner", email="owner@acme.example")
    dora = factories.UserFactory.create(username="dora", email="dora@acme.example")
    Membership.objects.create(user=owner, organization=organization, role=Membership.Role.SUPER_ADMIN)
    Membership.objects.create(user=dora, organization=organization, role=Membership.Role.TEAM_MEMBER)

    with serving_names(monkeypatch) as names, Visit(browser, live_server.url, owner) as visit:
        page = visit.page
        page.goto(f"{live_server.url}/settings/sso/")
        page.get_by_label("Password of owner").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        visit.open_and_check("/settings/sso/")
        page.get_by_label("Issuer").fill(provider.issuer)
        page.get_by_label("Client id").fill(provider.client_id)
        page.get_by_label("Client secret").fill(PORTAL_SECRET)
        page.locator("form:has(#id_issuer)").get_by_role("button", name="Save").click()
        expect(page.get_by_text("The provider is stored, and answers")).to_be_visible()

        page.get_by_label("Domain of your addresses").fill("acme.example")
        page.get_by_role("button", name="Add", exact=True).click()
        domain = SignInDomain.objects.get()
        expect(page.get_by_label("Its text", exact=True)).to_have_value(domain.record_text)
        visit.open_and_check("/settings/sso/")  # without the message, whose list is no part of this page
        names.records[page.get_by_label("Name of the TXT record", exact=True).input_value()] = [
            domain.record_text
        ]
        page.get_by_role("button", name="Check acme.example").click()
        expect(page.get_by_text("the domain is verified")).to_be_visible()

        page.get_by_role("button", name="Try it").click()
        expect(page.get_by_text("It works: your provider vouches for owner@acme.example")).to_be_visible()
        page.get_by_label("Required").check()
        page.locator("form:has(#mode-off)").get_by_role("button", name="Save").click()
        expect(page.get_by_text("Your choice is stored")).to_be_visible()
        visit.open_and_check("/settings/sso/")
        assert visit.problems == []

    provider.subject, provider.email = "subject-of-dora", "dora@acme.example"
    with Visit(browser, live_server.url) as visit:
        page = visit.page
        visit.open_and_check("/login/")
        page.get_by_label("Username").fill("dora")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_text("correct username and password")).to_be_visible()

        page.get_by_role("link", name="Sign in with single sign-on").click()
        visit.check()
        page.get_by_label("Your e-mail address at work").fill("dora@acme.example")
        page.get_by_role("button", name="Continue").click()
        expect(page).to_have_title(re.compile("· Acme ·"))
        assert page.url == f"{live_server.url}/"
        page.goto(f"{live_server.url}/account/password/")
        expect(page.get_by_role("heading", name="Not from this session")).to_be_visible()
        visit.check()
        assert visit.problems == []
    assert ProviderIdentity.objects.get(user=dora).subject == "subject-of-dora"


def test_a_member_without_a_password_sets_up_a_factor_after_a_new_sign_in_at_the_provider(
    browser: Browser, live_server, provider
):
    organization = factories.OrganizationFactory.create(name="Acme", slug="acme")
    owner = factories.UserFactory.create(username="owner", email="owner@acme.example", password=None)
    Membership.objects.create(user=owner, organization=organization, role=Membership.Role.TEAM_MEMBER)
    prove(organization)
    set_up(organization, provider, counts_as_second_factor=False)
    provider.signed_in_at -= 7200
    with Visit(browser, live_server.url) as visit:
        page = visit.page
        page.goto(f"{live_server.url}/sso/login/?next=/account/second-factor/app/")
        page.get_by_label("Your e-mail address at work").fill("owner@acme.example")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
        visit.check()
        page.get_by_role("button", name="Sign in at your provider").click()
        expect(page.get_by_role("heading", name="Set up an authenticator app")).to_be_visible()
        assert visit.problems == []


def test_the_page_on_the_way_leads_on_without_scripts(browser: Browser, live_server, provider):
    organization = factories.OrganizationFactory.create(name="Acme", slug="acme")
    owner = factories.UserFactory.create(username="owner", email="owner@acme.example")
    Membership.objects.create(user=owner, organization=organization, role=Membership.Role.SUPER_ADMIN)
    prove(organization)
    set_up(organization, provider)
    with Visit(browser, live_server.url, java_script_enabled=False) as visit:
        visit.page.goto(f"{live_server.url}/sso/login/?next=/activity/")
        visit.page.get_by_label("Your e-mail address at work").fill("owner@acme.example")
        visit.page.get_by_role("button", name="Continue").click()
        visit.page.wait_for_url(f"{live_server.url}/activity/")
    provider.is_verified, provider.subject = False, "another"
    with Visit(browser, live_server.url) as visit:
        visit.page.goto(f"{live_server.url}/sso/login/")
        visit.page.get_by_label("Your e-mail address at work").fill("owner@acme.example")
        visit.page.get_by_role("button", name="Continue").click()
        expect(visit.page.get_by_role("heading", name="You were not signed in")).to_be_visible()
        visit.check()
        assert visit.problems == []
