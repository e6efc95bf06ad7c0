"""The pages in Chromium: copying, time zones, and partials that update."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Request, Route

from integrations.invitations.models.invitation import Invitation
from tests.pages.activity.test_candidate_filters import candidate
from tests.support import factories
from tests.support.browsing import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def visit(browser: Browser, live_server, organization, super_admin) -> Iterator[Visit]:
    """The Super Admin's browser in Calcutta, whose clipboard may be used."""
    permissions = ["clipboard-read", "clipboard-write"]
    with Visit(
        browser, live_server.url, super_admin, permissions=permissions, timezone_id="Asia/Calcutta"
    ) as visit:
        yield visit


@pytest.fixture
def waiting(organization) -> None:
    """A candidate on hold and one whose invitation is uncertain."""
    candidate(organization, "Alder", status="held")
    candidate(organization, "Hazel", status="uncertain")


def test_the_webhook_address_is_copied_with_one_button(visit: Visit, organization) -> None:
    page = visit.page
    page.clock.install()
    page.goto(f"{visit.site}/settings/")
    button = page.locator("button[data-copy=lever-webhook-url]")
    label = button.inner_text()
    button.click()
    page.get_by_text("Copied").wait_for()
    button.click()
    page.clock.run_for(3000)
    assert button.inner_text() == label
    search = page.get_by_role("searchbox").first
    search.focus()
    page.keyboard.press("Control+V")  # no script of the page may read the clipboard
    assert search.input_value() == organization.lever_webhook_url


def test_a_step_is_marked_done_and_announced_without_reloading(visit: Visit, organization) -> None:
    page = visit.page
    page.clock.install()
    page.goto(visit.site)
    page.locator("#step-lever .mark", has_text="1").wait_for()
    scripts: list[Route] = []
    page.route("**/portal*.js", lambda route: scripts.append(route))
    page.reload(wait_until="commit")
    summary = page.locator("#how-codescreen > summary")
    summary.focus()
    page.keyboard.press("Enter")  # before the script runs, as on a slow network
    scripts[0].continue_()
    page.wait_for_load_state()
    factories.LeverConnectionFactory.create(organization=organization)
    page.clock.run_for(5_000)
    page.locator("#step-lever.is-done").wait_for(timeout=20_000)
    assert page.locator("[data-live-bar=checklist] [role=status]").inner_text() == "1 of 6 steps are done."
    # what was opened stays open, and the keyboard stays where it was
    assert page.locator("#how-codescreen").get_attribute("open") is not None
    assert page.evaluate("document.activeElement.parentElement.id") == "how-codescreen"


@pytest.mark.usefixtures("waiting")
def test_typed_text_survives_updates_and_updates_can_be_paused(visit: Visit, organization) -> None:
    page, updates = visit.page, list[str]()

    def note(request: Request) -> None:
        if "x-live-part" in request.headers:
            updates.append(request.url)

    page.on("request", note)
    page.clock.install()
    page.goto(f"{visit.site}/activity/?view=attention")
    page.get_by_role("link", name="Hazel", exact=True).click()
    page.get_by_text("More", exact=True).click()
    field = page.get_by_label("Reason (optional)")
    field.fill("They asked.")
    Invitation.objects.update(status_reason="Something changed meanwhile.")
    updates.clear()
    page.clock.run_for(6_500)
    assert field.input_value() == "They asked."
    page.go_back()
    candidate(organization, "Late", "no_email")
    page.get_by_role("button", name="Pause updates").click()
    page.clock.run_for(6_500)
    assert page.get_by_role("link", name="Late", exact=True).count() == 0
    assert updates == []
    page.get_by_role("button", name="Pause updates").click()
    page.get_by_role("link", name="Late", exact=True).wait_for(timeout=20_000)


@pytest.mark.usefixtures("waiting")
def test_a_tick_shows_the_bar_for_many_and_a_slash_leads_from_the_list_to_its_search(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.site}/activity/?status=held")
    page.get_by_role("heading", name="Candidates").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.tagName") != "INPUT", (
        "a single key acts within the list alone"
    )
    page.get_by_role("columnheader", name="Outcome").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    bar = page.get_by_role("form", name="Ticked candidates")
    assert not bar.is_visible()
    page.locator("td.tick input").first.check()
    assert bar.is_visible()
    count = "element => getComputedStyle(element, '::before').content"
    assert page.locator(".bulk output").evaluate(count) == 'counter(ticked) " "'
    assert not bar.get_by_role("button", name="Invite").is_visible()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("a/b")
    assert page.input_value("#q") == "a/b"
    page.get_by_label("Select all").check()
    page.get_by_role("button", name="Send those on hold…").click()
    page.get_by_role("heading", name="Send invitations").wait_for()


def test_the_browsers_zone_is_used_from_the_first_page_on(visit: Visit) -> None:
    visit.page.goto(f"{visit.site}/account/")
    visit.page.goto(f"{visit.site}/audit/")
    visit.page.get_by_text("Times are in Asia/Calcutta.").wait_for()
    cookie = next(cookie for cookie in visit.context.cookies() if cookie["name"] == "time_zone")
    assert (cookie["value"], cookie["sameSite"]) == ("Asia/Calcutta", "Lax")
