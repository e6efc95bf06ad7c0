"""An authenticator app, recovery codes and passkeys in Chromium, with its virtual authenticator for the passkeys."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page

from integrations.accounts.models.second_factors import AuthenticatorApp, Passkey
from integrations.organizations.models.organization import Organization
from tests.support.browsing import Visit
from tests.support.second_factors import PASSWORD, code_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

APP, PASSKEYS = "/account/second-factor/app/", "/account/second-factor/passkeys/"
#: Lets the browser answer as after a person's Cancel.
REFUSE = """() => {
  navigator.credentials.get = () => Promise.reject(new DOMException("", "NotAllowedError"));
}"""


@pytest.fixture
def site(live_server, settings, super_admin) -> str:
    """The running site, whose own address it is."""
    settings.PORTAL_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Visit]:
    with Visit(browser, site) as visit:
        yield visit
        assert visit.problems == []


def give_password(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.locator("header .menu > summary:visible").last.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login/")


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


def test_an_app_is_set_up_and_asked_for(visit: Visit, site: str, super_admin) -> None:
    page = visit.page
    give_password(page, site, super_admin.username)
    page.wait_for_url(f"{site}/")
    visit.open_and_check("/account/second-factor/")
    page.get_by_role("link", name="Set up an app").click()
    page.get_by_role("img", name="QR code").wait_for()
    visit.check()
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("alert").wait_for()
    visit.check()
    page.get_by_label("Code", exact=True).fill(code_of(AuthenticatorApp.objects.get()))
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    assert page.locator(".recovery-codes li").count() == 10
    [recovery_code] = page.locator(".recovery-codes code").all_inner_texts()[:1]
    visit.check()
    page.get_by_role("link", name="I have kept them").click()
    sign_out(page)

    give_password(page, site, super_admin.username)
    page.get_by_role("heading", name="One more proof").wait_for()
    visit.check()
    AuthenticatorApp.objects.update(last_step=0)  # the code of a moment ago may still be that of now
    page.get_by_label("Code", exact=True).fill(code_of(AuthenticatorApp.objects.get()))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/")
    visit.open_and_check("/account/second-factor/")
    sign_out(page)

    give_password(page, site, super_admin.username)
    page.get_by_text("Use a recovery code").click()
    page.get_by_label("Recovery code").fill(recovery_code)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/")


def test_a_passkey_is_added_asked_for_and_signs_in_alone(visit: Visit, site: str, super_admin) -> None:
    page = visit.page
    add_authenticator(page)
    give_password(page, site, super_admin.username)
    page.wait_for_url(f"{site}/")
    visit.open_and_check(PASSKEYS)
    page.get_by_label("Name").fill("work laptop")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    visit.open_and_check("/account/second-factor/")
    assert Passkey.objects.get().name == "work laptop"
    visit.page.goto(site + PASSKEYS)
    page.get_by_label("Name").fill("the same again")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text("has a passkey of yours already").wait_for()
    sign_out(page)

    give_password(page, site, super_admin.username)
    page.get_by_role("button", name="Use a passkey").wait_for()
    visit.check()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site}/")
    sign_out(page)

    visit.check()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/account/second-factor/")
    page.get_by_role("button", name="Remove work laptop").click()
    page.get_by_text("was removed").wait_for()
    assert not Passkey.objects.exists()


def test_a_cancelled_passkey_is_explained(visit: Visit, site: str, super_admin) -> None:
    page = visit.page
    page.goto(f"{site}/login/")
    page.evaluate(REFUSE)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("No passkey was used").wait_for()
    visit.check()


def test_the_app_works_without_javascript(browser: Browser, site: str, super_admin) -> None:
    AuthenticatorApp.objects.create(user=super_admin, confirmed_at=datetime(2026, 1, 1, tzinfo=UTC))
    with Visit(browser, site, java_script_enabled=False) as visit:
        give_password(visit.page, site, super_admin.username)
        visit.page.get_by_label("Code", exact=True).fill(code_of(AuthenticatorApp.objects.get()))
        visit.page.get_by_role("button", name="Sign in", exact=True).click()
        visit.page.wait_for_url(f"{site}/")


def test_a_member_is_led_to_set_one_up_where_it_is_required(visit: Visit, site: str, super_admin) -> None:
    Organization.objects.update(requires_second_factor=True)
    page = visit.page
    give_password(page, site, super_admin.username)
    page.get_by_text("requires a second factor").wait_for()
    visit.check()
    page.get_by_role("link", name="Set up an app").click()
    page.get_by_label("Code", exact=True).fill(code_of(AuthenticatorApp.objects.get()))
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url(f"{site}/")


def test_the_password_is_asked_for_again(visit: Visit, site: str, super_admin) -> None:
    page = visit.page
    give_password(page, site, super_admin.username)
    page.wait_for_url(f"{site}/")
    visit.open_and_check(f"/account/confirm/?next={APP}")
    page.get_by_label("Password of").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(site + APP)
