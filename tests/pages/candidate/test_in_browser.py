"""The candidate's page in Chromium, in each state: no axe violation, console error or sideways scrolling."""

import pytest
from playwright.sync_api import Browser

from tests.pages.candidate import histories
from tests.support.browsing import SHAPES, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_every_state_is_accessible(browser: Browser, live_server, organization, super_admin) -> None:
    made = [histories.make(organization, super_admin, state) for state in histories.STATES]
    with Visit(browser, live_server.url, super_admin) as visit:
        for number, address in enumerate([*made, f"{made[0]}?show=technical"]):
            # each state in one wide and one narrow shape
            visit.open_and_check(address, shapes=[SHAPES[number % 2], SHAPES[2 + number % 2]])
    assert visit.problems == []


def test_a_held_invitation_is_refused_without_javascript(
    browser: Browser, live_server, organization, super_admin
) -> None:
    address = histories.make(organization, super_admin, "held")
    with Visit(browser, live_server.url, super_admin, java_script_enabled=False) as visit:
        visit.page.goto(live_server.url + address)
        visit.page.get_by_text("More", exact=True).click()
        visit.page.get_by_label("Reason (optional)").fill("Not this week.")
        visit.page.get_by_role("button", name="Cancel invitation").click()
        visit.page.get_by_text("cancelled the invitation: “Not this week.”").wait_for()
        assert visit.page.locator("h1").inner_text() == "Candidate Fir"


def test_a_result_appears_without_reloading(browser: Browser, live_server, organization, super_admin) -> None:
    address = histories.make(organization, super_admin, "in-progress")
    with Visit(browser, live_server.url, super_admin) as visit:
        visit.page.goto(live_server.url + address)
        visit.page.get_by_role("heading", name="In progress").wait_for()
        invitation = organization.invitations.get()
        made = histories.History(organization, "o-in-progress", "Candidate Hazel", invitation.started_at)
        made.result(invitation, outcome="Passed", score=91, rating=4)
        visit.page.get_by_role("heading", name="Passed").wait_for(timeout=20_000)
    assert visit.problems == []
