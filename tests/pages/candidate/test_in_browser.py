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
            visit.open_and_check(address, shapes=[SHAPES[number % 2]])
    assert visit.problems == []


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
