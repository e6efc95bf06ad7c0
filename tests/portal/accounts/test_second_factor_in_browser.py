"""Passkeys in Chromium, with its virtual authenticator."""

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, Page

from tests.support.browsing import Visit
from tests.support.second_factors import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FACTORS = "/accounts/2fa/"


@pytest.fixture
def visit(browser: Browser, live_server, settings, super_admin) -> Iterator[Visit]:
    settings.PORTAL_URL = live_server.url
    with Visit(browser, live_server.url) as visit:
        yield visit


def give_password(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.fill("[name=login]", name)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def prove_again(page: Page) -> None:
    """Give the password once more where it is asked for."""
    if "/reauthenticate/" in page.url:
        page.fill("[name=password]", PASSWORD)
        page.get_by_role("button", name="Confirm").click()


def sign_out(page: Page) -> None:
    page.locator("header .menu > summary:visible").last.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")


def add_authenticator(page: Page) -> None:
    """Give the browser a built-in authenticator that verifies its person at once."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_added_asked_for_and_signs_in_alone(visit: Visit, super_admin) -> None:
    page, site = visit.page, visit.site
    add_authenticator(page)
    give_password(page, site, super_admin.username)
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}{FACTORS}webauthn/add/")
    prove_again(page)
    page.get_by_label("Name").fill("work laptop")
    visit.check()
    page.get_by_role("button", name="Add").click()
    page.get_by_label("Unused codes").wait_for()
    visit.open_and_check(f"{FACTORS}webauthn/")
    page.get_by_role("rowheader", name="work laptop").wait_for()
    sign_out(page)

    give_password(page, site, super_admin.username)
    page.get_by_role("button", name="Use a security key").wait_for()
    visit.check()
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url(f"{site}/")
    sign_out(page)

    visit.check()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}{FACTORS}webauthn/")
    page.get_by_role("link", name="Remove work laptop").click()
    prove_again(page)
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("You have none yet").wait_for()
    assert not Authenticator.objects.exists()
