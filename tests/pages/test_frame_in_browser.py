"""What stands around every page: menus, what was done as a toast, errors, and the header on a phone."""

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_menus_close_toasts_go_and_a_form_is_sent_once_when_clicked_twice(
    browser: Browser, live_server, super_admin
) -> None:
    with Visit(browser, live_server.url, super_admin) as visit:
        page = visit.page
        page.goto(visit.site + "/account/")
        summary, inside = page.locator(".account > summary"), page.get_by_role("button", name="Sign out")
        summary.press("Enter")
        assert inside.is_visible()
        page.keyboard.press("Escape")
        assert not inside.is_visible()
        assert page.evaluate("document.activeElement.parentElement.classList.contains('account')")
        summary.click()
        assert inside.is_visible()
        page.locator("h1").click()
        assert not inside.is_visible()
        page.get_by_label("First name").fill("Alder")
        posts: list[str] = []
        page.on("request", lambda request: posts.extend([request.url] * (request.method == "POST")))
        page.get_by_role("button", name="Save the name").evaluate(
            "(button) => { button.click(); setTimeout(() => button.click(), 20); }"
        )
        toast = page.locator(".toasts .message", has_text="Your name is saved.")
        toast.get_by_role("button", name="Dismiss").click()
        assert toast.count() == 0
        assert len(posts) == 1, "a double click sends a form once"
        page.add_init_script(
            "addEventListener('DOMContentLoaded', () => document.querySelector('.toasts [data-dismiss]')?.click())"
        )
        page.get_by_label("First name").fill("Birch")
        with page.expect_navigation():
            page.get_by_role("button", name="Save the name").click()
        page.wait_for_timeout(150)
        assert toast.count() == 0, "what was dismissed before it was read out stays away"


def test_a_message_is_a_plain_list_without_javascript(browser: Browser, live_server, super_admin) -> None:
    with Visit(browser, live_server.url, super_admin, java_script_enabled=False) as visit:
        page = visit.page
        page.goto(visit.site + "/account/")
        page.get_by_label("First name").fill("Alder")
        page.get_by_role("button", name="Save the name").click()
        toasts = page.locator(".toasts")
        assert toasts.get_by_text("Your name is saved.").is_visible()
        assert toasts.evaluate("(one) => getComputedStyle(one).position") == "static"
        assert not page.get_by_role("button", name="Dismiss").first.is_visible()


def test_the_header_leaves_a_phone_its_screen(browser: Browser, live_server, super_admin) -> None:
    with Visit(
        browser, live_server.url, super_admin, viewport={"width": 390, "height": 844}, has_touch=True
    ) as visit:
        page = visit.page
        page.goto(visit.site + "/account/")
        box = page.get_by_role("banner").bounding_box()
        assert box is not None
        assert box["height"] <= 0.12 * 844
        page.get_by_text("Menu", exact=True).first.click()
        assert page.get_by_role("link", name="Settings", exact=True).is_visible()
        assert page.get_by_role("button", name="Sign out").is_visible()
