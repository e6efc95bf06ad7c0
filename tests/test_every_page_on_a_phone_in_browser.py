"""Every page on a phone: light, compressed and for fingers.

At most six screens long, and eight the overview, which tells of Health too.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, ViewportSize

from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.pages.activity.activity import PAGE_SIZE
from tests.admin.conftest import Customer
from tests.support import addresses, factories
from tests.support.browsing import Visit
from tests.test_every_page_in_browser import (
    acme,
    is_page,
    newcomer,
    pages_of_accounts,
    site_pages,
    with_every_factor,
)

__all__ = ["acme"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MAX_BYTES = 60_000
SCREEN = ViewportSize(width=390, height=844)
MAX_HEIGHT, MAX_OF_OVERVIEW = 6 * SCREEN["height"], 8 * SCREEN["height"]
#: What a finger must hit, and isn't 44 pixels large: links within a text may be smaller, the label of a box counts.
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, select, textarea, summary')].filter((one) => {
  if (!one.checkVisibility() || one.matches('.skip') || getComputedStyle(one).display === 'inline') return false;
  const boxes = [one, ...(one.labels ?? [])].map((each) => each.getBoundingClientRect());
  const [width, height] = ['width', 'height'].map((side) => Math.max(...boxes.map((box) => box[side])));
  return width && (width < 43.5 || height < 43.5);
}).map((one) => one.outerHTML.slice(0, 120))"""
SMALL_FIELDS = """() => [...document.querySelectorAll('input, select, textarea')].filter((one) =>
  !['hidden', 'checkbox', 'radio'].includes(one.type) && parseFloat(getComputedStyle(one).fontSize) < 16
).map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture
def busy(acme: Customer) -> Customer:
    """A customer whose lists fill more than a page."""
    now = timezone.now()
    for number in range(PAGE_SIZE):
        factories.CandidateFactory.create(
            organization=acme.organization,
            opportunity_id=f"more-{number}",
            name=f"Candidate Birch {number}",
            entered_at=now - timedelta(days=1, minutes=number),
        )
    return acme


def of_the_admin(customer: Customer) -> Iterator[str]:
    """Yield the addresses of the admin's index, and of the lists and records that answer an auditor's questions."""
    shown = re.compile(
        r"admin:(index|log|integrations_(candidate|delivery|verdict|invitation|effect|apicall|result|auditentry"
        r"|organization|membership|incident)_(changelist|change))"
    )
    yield from (one.url for one in addresses.of(customer) if shown.fullmatch(one.name))


@pytest.mark.parametrize("pages", ["site", "admin", "accounts"])
def test_every_page_suits_a_phone(browser: Browser, live_server, busy: Customer, pages: str) -> None:
    problems, shown = [], 0
    person = busy.rows[Membership].user
    paths = of_the_admin(busy) if pages == "admin" else (path for _, path in site_pages(busy))
    with Visit(browser, live_server.url, person, viewport=SCREEN, has_touch=True, is_mobile=True) as visit:
        if pages == "accounts":
            paths = pages_of_accounts(busy, with_every_factor(visit, newcomer()))
        for path in paths:
            if not is_page(visit, path):
                continue
            shown += 1
            answer = visit.page.goto(live_server.url + path)
            assert answer
            found = {
                "bytes": (size := len(answer.body())) > MAX_BYTES and size,
                "height": (height := visit.page.evaluate("document.body.scrollHeight"))
                > (MAX_OF_OVERVIEW if path == "/" else MAX_HEIGHT)
                and height,
                "targets": visit.page.evaluate(SMALL_TARGETS),
                "fields": visit.page.evaluate(SMALL_FIELDS),
                "not compressed": not _is_sent_as_it_should(answer.headers),
            }
            problems += [(path, what, detail) for what, detail in found.items() if detail]
    assert not problems, "\n".join(str(one) for one in problems)
    assert shown > (8 if pages == "accounts" else 20)


def _is_sent_as_it_should(headers: dict[str, str]) -> bool:
    shows_secret = "no-transform" in headers["cache-control"]
    return shows_secret != ("gzip" in headers.get("content-encoding", ""))


def test_steps_and_tabs_differ_in_forced_colours(browser: Browser, live_server, acme: Customer) -> None:
    invitation = Invitation.objects.get(organization=acme.organization, status="in_progress")
    with Visit(browser, live_server.url, acme.rows[Membership].user, forced_colors="active") as visit:
        visit.page.goto(f"{live_server.url}/activity/{invitation.opportunity_id}/")
        looks = visit.page.locator(".steps > li").evaluate_all(
            "(steps) => steps.map((one) => getComputedStyle(one, '::before').backgroundColor)"
        )
        assert len(set(looks)) == 3  # done, now, to come
        tabs = visit.page.locator(".tabs a").evaluate_all(
            "(tabs) => tabs.map((one) => getComputedStyle(one).backgroundColor)"
        )
        assert len(set(tabs)) == 2
