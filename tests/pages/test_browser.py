"""The pages in Chromium: accessible in light and dark, wide and narrow; strict policy; usable without JavaScript."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from integrations.models import Membership
from portal import suites
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = ("/", "/activity/", "/activity/?show=deliveries", "/mappings/", "/health/", "/settings/")
SHAPES = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": suites.chromium(), "args": ["--no-sandbox"]}


@pytest.fixture
def site(live_server, organization, owner) -> Iterator[str]:
    """The running site, with a held and an uncertain invitation in it."""
    factories.member(organization, Membership.Role.ADMIN, "second")
    held = factories.InvitationFactory.create(
        organization=organization, status="held", role_title="Backend Engineer"
    )
    factories.InvitationFactory.create(organization=organization, status="uncertain")
    factories.DeliveryFactory.create(
        organization=organization, invitation=held, opportunity_id=held.opportunity_id
    )
    return live_server.url


def sign_in(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", "correct horse battery")
    page.click("main button")


@pytest.mark.parametrize(("width", "scheme"), SHAPES)
def test_no_violation_no_console_error_and_no_sideways_scrolling(
    browser: Browser, site: str, owner, width: int, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    sign_in(page, site, owner.username)
    for path in PAGES:
        page.goto(site + path)
        found = Axe().run(page).response["violations"]
        assert not found, (path, [(rule["id"], rule["nodes"][0]["html"]) for rule in found])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert said == []
    page.close()


def test_the_webhook_address_is_copied_with_one_button(
    browser: Browser, site: str, owner, organization
) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    sign_in(page, site, owner.username)
    page.goto(f"{site}/settings/")
    page.click("button[data-copy=lever-webhook-url]")
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == organization.lever_webhook_url
    context.close()


def test_approving_works_without_javascript_and_by_keyboard(browser: Browser, site: str, owner) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, owner.username)
    page.goto(f"{site}/activity/?status=held")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Approve").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Approved: the invitation goes out by itself.").wait_for()
    assert page.get_by_text("Nothing matches.").is_visible()
    context.close()
