"""The page of every component: it shows each, works in light and dark, and no deployed portal has it."""

import importlib
import re

import pytest
from django.urls import clear_url_caches
from playwright.sync_api import Browser

from portal import urls
from portal.devtools.components.views import STATES
from portal.templatetags.icons import DRAWINGS
from tests.support.browsing import Visit

COMPONENTS = [
    "badge", "button", "card", "columns", "danger", "empty", "facts", "field", "icon-button", "links", "live-bar",
    "menu", "menu-list", "message", "note", "number", "page-head", "pager", "primary", "small", "stat",
    "stats", "steps", "tabs",
]  # fmt: skip


@pytest.mark.django_db
def test_it_shows_every_component(super_admin_client) -> None:
    page = super_admin_client.get("/components/").content.decode()
    shown = {name for names in re.findall(r'class="([^"]*)"', page) for name in names.split()}
    assert set(COMPONENTS) <= shown
    assert {f"icon-{name}" for name in DRAWINGS} <= shown
    assert {*STATES, *(name for names in STATES.values() for name in names)} <= shown


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_no_component_breaks_a_rule_of_axe_in_light_or_dark(
    browser: Browser, live_server, super_admin
) -> None:
    with Visit(browser, live_server.url, super_admin) as visit:
        visit.page.goto(visit.site + "/components/")
        visit.page.locator("#example-menu > summary").click()
        visit.check()
        assert visit.problems == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_menu_closes_by_escape_and_by_a_click_elsewhere(browser: Browser, live_server, super_admin) -> None:
    with Visit(browser, live_server.url, super_admin) as visit:
        page = visit.page
        page.goto(visit.site + "/components/")
        summary, inside = page.locator("#example-menu > summary"), page.get_by_text("Download as CSV")
        summary.press("Enter")
        assert inside.is_visible()
        page.keyboard.press("Escape")
        assert not inside.is_visible()
        assert page.evaluate("document.activeElement.parentElement.id") == "example-menu"
        summary.click()
        assert inside.is_visible()
        page.locator("h1").click()
        assert not inside.is_visible()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_toast_is_dismissed_and_an_error_stays_in_the_page(
    browser: Browser, live_server, super_admin
) -> None:
    with Visit(browser, live_server.url, super_admin) as visit:
        page = visit.page
        page.goto(visit.site + "/components/")
        toast = page.locator(".toasts").get_by_text("the portal sends the invitation")
        toast.wait_for()
        page.locator(".toasts .message", has_text="the portal sends the invitation").get_by_role(
            "button", name="Dismiss"
        ).click()
        assert toast.count() == 0
        error = page.get_by_role("alert")
        assert "the key was refused" in error.inner_text()
        assert error.evaluate("(one) => getComputedStyle(one.parentElement).position") == "static"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_messages_are_a_plain_list_without_javascript(browser: Browser, live_server, super_admin) -> None:
    with Visit(browser, live_server.url, super_admin, java_script_enabled=False) as visit:
        page = visit.page
        page.goto(visit.site + "/components/")
        toasts = page.locator(".toasts")
        assert toasts.get_by_text("the portal sends the invitation").is_visible()
        assert toasts.evaluate("(one) => getComputedStyle(one).position") == "static"
        assert not page.get_by_role("button", name="Dismiss").first.is_visible()
        page.locator("#example-menu > summary").click()
        assert page.get_by_text("Download as CSV").is_visible()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_header_leaves_a_phone_its_screen(browser: Browser, live_server, super_admin) -> None:
    with Visit(
        browser, live_server.url, super_admin, viewport={"width": 390, "height": 844}, has_touch=True
    ) as visit:
        page = visit.page
        page.goto(visit.site + "/components/")
        box = page.get_by_role("banner").bounding_box()
        assert box is not None
        assert box["height"] <= 0.12 * 844
        page.get_by_text("Menu", exact=True).first.click()
        assert page.get_by_role("link", name="Settings", exact=True).is_visible()
        assert page.get_by_role("button", name="Sign out").is_visible()


def test_no_deployed_portal_has_it(settings) -> None:
    def addresses() -> list[str]:
        return [str(pattern.pattern) for pattern in importlib.reload(urls).urlpatterns]

    assert "components/" in addresses()
    settings.DEVELOPER_TOOLS = []
    assert "components/" not in addresses()
    settings.DEVELOPER_TOOLS = ["portal.devtools"]
    assert "components/" in addresses()
    clear_url_caches()
