"""Everything essential in Chromium without JavaScript, and by the keyboard alone."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from integrations.codescreen.models import CodeScreenConnection
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.webhook import LeverWebhook
from tests.pages.activity.test_candidate_filters import invited
from tests.support import factories
from tests.support.browsing import Visit
from tests.support.second_factors import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def plain(browser: Browser, live_server, organization, super_admin) -> Iterator[Visit]:
    """The Super Admin's browser with JavaScript turned off."""
    with Visit(browser, live_server.url, super_admin, java_script_enabled=False) as visit:
        yield visit


def press(page: Page, name: str) -> None:
    """Press a button by the keyboard."""
    button = page.get_by_role("button", name=re.compile(f"^{name}")).first
    button.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_the_checklist_works_by_reloading(plain: Visit, organization) -> None:
    page = plain.page
    page.goto(plain.site)
    assert page.get_by_text("0 of 6 steps are done.").is_visible()
    assert not page.locator("[data-live-bar=checklist]").is_visible()
    assert not page.locator("button[data-copy]").first.is_visible()
    page.locator("#how-webhook > summary").click()
    page.locator("#by-hand > summary").click()
    page.get_by_role("link", name="Enter the token").click()
    page.fill("input[type=password]", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.fill("#id_lever_signature_token", "0123456789abcdef" * 3)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert LeverWebhook.objects.get(organization=organization).signature_token
    page.goto(plain.site)
    page.locator("#how-codescreen > summary").click()
    page.fill("#id_codescreen_api_key", "key-1")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert CodeScreenConnection.objects.get(organization=organization).api_key == "key-1"
    factories.LeverConnectionFactory.create(organization=organization)
    page.goto(plain.site)
    assert page.locator("#step-lever.is-done").is_visible()


def test_invitations_are_filtered_approved_refused_and_resolved(plain: Visit, ready_organization) -> None:
    page = plain.page
    held = invited(ready_organization, "Held", "held")
    uncertain = invited(ready_organization, "Lost", "uncertain")
    page.goto(plain.site + "/activity/")
    page.get_by_label("Status").select_option("On hold")
    press(page, "Filter")
    assert "status=held" in page.url
    page.get_by_role("link", name="Send…").press("Enter")
    press(page, "Send invitations")
    held.refresh_from_db()
    assert held.status == Invitation.Status.PENDING
    page.goto(plain.site + "/activity/?status=uncertain")
    page.get_by_role("link", name="Settle it").press("Enter")
    page.fill("[name=instance_id]", "i-9")
    press(page, "They have it")
    uncertain.refresh_from_db()
    assert uncertain.status == Invitation.Status.INVITED


# the keyboard


def focused(page: Page) -> dict[str, Any]:
    """Return what has the focus: its name, whether it is seen, and whether its outline is."""
    found: dict[str, Any] = page.evaluate(
        """() => {
          const one = document.activeElement;
          const box = one.getBoundingClientRect();
          const style = getComputedStyle(one);
          return {
            key: one.outerHTML.slice(0, 200),
            isBody: one === document.body,
            isSeen: box.width > 0 && box.height > 0,
            // the parts of a date, and what is in a frame, are marked by the browser itself
            isMarked: one.type === "date" || one.tagName === "IFRAME"
              || style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
          };
        }"""
    )
    return found


@pytest.mark.parametrize("path", ["/", "/activity/", "/settings/"])
def test_the_tab_key_reaches_every_control_in_order_with_visible_focus(
    browser: Browser, live_server, ready_organization, super_admin, path: str
) -> None:
    factories.InvitationFactory.create(organization=ready_organization, status="held")
    with Visit(browser, live_server.url, super_admin) as visit:
        page = visit.page
        answer = page.goto(visit.site + path)
        assert answer is not None
        assert answer.ok
        reachable = page.evaluate(
            """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
              .filter((one) => one.checkVisibility() && !one.disabled && one.type !== "hidden").length"""
        )
        seen, unmarked = list[str](), list[str]()
        for _ in range(reachable + 5):
            page.keyboard.press("Tab")
            now = focused(page)
            if now["isBody"]:
                break
            seen.append(now["key"])
            if not (now["isSeen"] and now["isMarked"]):
                unmarked.append(now["key"])
        assert unmarked == []
        assert "Skip to the content" in seen[0]
        assert len(seen) >= reachable * 0.9


def test_the_skip_link_skips_the_navigation(
    browser: Browser, live_server, ready_organization, super_admin
) -> None:
    with Visit(browser, live_server.url, super_admin) as visit:
        visit.page.goto(visit.site + "/activity/")
        visit.page.keyboard.press("Tab")
        visit.page.keyboard.press("Enter")
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate("document.querySelector('main').contains(document.activeElement)")
