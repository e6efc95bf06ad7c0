"""The candidate's page in Chromium, in each state that has parts of its own: accessible, and as wide as the screen."""

import pytest
from playwright.sync_api import Browser

from tests.pages.candidate import histories
from tests.support.browsing import SHAPES, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: tests/test_every_page_in_browser.py has one on hold.
STATES = ("passed", "failed", "not-invited", "uncertain", "in-progress", "three-rounds", "erased")


def test_each_state_is_accessible(browser: Browser, live_server, organization, super_admin) -> None:
    made = [histories.make(organization, state) for state in STATES]
    with Visit(browser, live_server.url, super_admin) as visit:
        for number, address in enumerate([*made, f"{made[0]}?show=technical"]):
            visit.open_and_check(address, shapes=[SHAPES[number % 2]])
    assert visit.problems == []
