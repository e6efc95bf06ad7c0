"""E-mails, notifications and the audit log in Chromium: accessible in light and dark, wide and narrow."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Browser, Page

from integrations.models import AuditEntry, Membership, RefusedRequest
from integrations.workflow import signature_tokens, subscriptions
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = (
    "/settings/",
    "/emails/",
    "/emails/result/",
    "/emails/trouble/",
    "/notifications/",
    "/notifications/team/",
    "/settings/lever/disconnect/",
    "/settings/webhooks/remove/",
    "/audit/",
    "/audit/?action=nothing",
)
SHAPES = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]


@pytest.fixture
def site(live_server, organization, owner) -> str:
    """The running site, with colleagues, an audit log and a refused request."""
    factories.member(organization, Membership.Role.TEAM_MEMBER, "a-rather-long-user-name-of-somebody")
    AuditEntry.record(
        organization, owner, "change policies", organization, {"bulk_limit": [50, 7]}, "Because."
    )
    AuditEntry.record(
        organization, "configure", "save mapping", "Backend Engineer", {"assessment": [None, "A"]}
    )
    RefusedRequest.note(organization, "lever", "signature_mismatch", "expired_token")
    return live_server.url


def sign_in(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", "correct horse battery")
    page.click("main button")


@pytest.mark.parametrize(("width", "scheme"), SHAPES)
def test_no_violation_no_console_error_and_no_sideways_scrolling(
    browser: Browser, site: str, owner, organization, colleague, width: int, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    link = subscriptions.unsubscribe_link(Membership.objects.get(user=owner), "result")
    token = signature_tokens.add(organization, "The second webhook of a far-away office", "s" * 48, owner)
    retire = reverse("token-retire", args=[token.pk, "current"])
    walk = [*PAGES, retire, link.removeprefix("http://testserver")]
    sign_in(page, site, owner.username)
    for path in walk:
        page.goto(site + path)
        # the e-mail itself is a document of its own, written for mail programs
        found = Axe().run(page, context={"exclude": [["iframe"]]}).response["violations"]
        assert not found, (path, [(rule["id"], rule["nodes"][0]["html"]) for rule in found])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert said == []
    page.context.clear_cookies()
    sign_in(page, site, colleague.username)
    for path in ("/settings/", "/audit/"):  # whom to ask, and the page that refuses
        page.goto(site + path)
        page.get_by_role("button", name="Send them an e-mail").wait_for()
        found = Axe().run(page).response["violations"]
        assert not found, (path, [(rule["id"], rule["nodes"][0]["html"]) for rule in found])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.close()


def test_a_person_asks_the_admins_by_keyboard_and_without_javascript(
    browser: Browser, site: str, owner, colleague
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, colleague.username)
    page.goto(site + "/audit/")
    page.get_by_label("In your words").fill("I help with the chef roles.")
    page.get_by_role("button", name="Send them an e-mail").focus()
    page.keyboard.press("Enter")
    page.get_by_text(f"Your request is on its way to {owner}.").wait_for()
    page.get_by_text("“Give me a role that may do more”, asked just now").wait_for()
    context.close()


def test_unknown_variables_are_named_while_typing_and_the_frame_shows_the_draft(
    browser: Browser, site: str, owner
) -> None:
    page = browser.new_page()
    sign_in(page, site, owner.username)
    page.goto(site + "/emails/result/")
    page.fill("#body", "Hello {candidate}, {scoer} points")
    page.get_by_text("No such variable: {scoer}").wait_for()
    page.fill("#body", "Hello {candidate}, {score} points")
    assert not page.locator("#unknown-variables").is_visible()
    page.get_by_role("button", name="Preview").click()
    page.frame_locator("iframe.preview").get_by_text("Hello Candidate Alder, 41 points").wait_for()
    page.close()


def test_editing_and_unsubscribing_work_without_javascript(browser: Browser, site: str, owner) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, owner.username)
    page.goto(site + "/emails/result/")
    page.fill("#subject", "{assessment} is done")
    page.get_by_role("button", name="Save", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_text("The wording is stored.").wait_for()
    page.get_by_role("button", name="Reset to default").click()
    page.get_by_text("own wording holds again").wait_for()
    context.clear_cookies()
    link = subscriptions.unsubscribe_link(Membership.objects.get(user=owner), "result")
    page.goto(site + link.removeprefix("http://testserver"))
    page.get_by_role("button", name="Stop them").click()
    page.get_by_text("You no longer get").wait_for()
    page.goto(site + reverse("notifications"))
    assert "/login/" in page.url
    context.close()


def test_the_browsers_zone_is_shown_from_the_first_page_after_signing_in(
    browser: Browser, site: str, owner
) -> None:
    context = browser.new_context(timezone_id="Asia/Calcutta")
    page = context.new_page()
    sign_in(page, site, owner.username)
    page.goto(site + "/audit/")
    page.get_by_text("Times are in Asia/Calcutta, your browser's zone").wait_for()
    assert "in Asia/Calcutta · " in str(page.locator("time").first.get_attribute("title"))
    cookie = next(one for one in context.cookies() if one["name"] == "time_zone")
    assert (cookie["value"], cookie["sameSite"]) == ("Asia/Calcutta", "Lax")
    # a page that is open keeps its zone, also where the browser has moved on meanwhile
    with page.expect_request(lambda request: "x-live-part" in request.headers) as found:
        page.goto(site + "/health/")
    assert found.value.headers["x-time-zone"] == "Asia/Calcutta"
    context.close()


def test_a_chosen_zone_holds_without_javascript(browser: Browser, site: str, owner) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, owner.username)
    page.goto(site + "/audit/")
    page.get_by_role("link", name="Choose yours").click()
    page.get_by_label("Time zone").select_option("Europe/Lisbon")
    page.locator("section", has=page.get_by_label("Time zone")).get_by_role("button").click()
    page.get_by_text("Your time zone is stored.").wait_for()
    page.get_by_text("Times are in Europe/Lisbon, as you chose").wait_for()
    context.close()
