"""An auditor's ten questions, by hand in the browser: each answered in at most two clicks from the admin's index.

A form that is filled in and sent with Enter counts as a click.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from tests.admin.audited_scene import NOTE, Scene, make_scene
from tests.support.browsing import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_CLICKS = 2


class Auditor:
    """Somebody who begins at the index for each question, and whose clicks are counted."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.site, self.clicks = page, site, 0

    def begin(self) -> None:
        self.page.goto(self.site + reverse("admin:index"))
        self.clicks = 0

    def click(self, text: str, within: str = "main") -> None:
        self.clicks += 1
        link = self.page.locator(within).get_by_role("link", name=text).first
        link.wait_for()
        self.page.wait_for_load_state()  # until then the page's styles move what would be clicked
        link.click()

    def press(self, text: str) -> None:
        self.clicks += 1
        self.page.get_by_role("button", name=text).first.click()

    def find(self, name: str) -> None:
        self.clicks += 1
        self.page.locator("main").get_by_label("Find a candidate").fill(name)
        self.page.keyboard.press("Enter")
        self.page.wait_for_load_state()

    def sees(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.locator("main")).to_contain_text(text)


def why_no_test(auditor: Auditor) -> None:
    auditor.find("Alder")
    auditor.sees("Why the candidate was not invited", "Did you mean “Backend”?", "Correct the tag in Lever")


def who_changed_a_mapping(auditor: Auditor) -> None:
    auditor.click("Mappings, last 7 days")
    auditor.sees("lead-acme", "changed a mapping", "Assessment: Backend → Frontend")


def hit_by_an_outage(auditor: Auditor) -> None:
    auditor.click("Times when Lever or CodeScreen didn't answer")
    auditor.sees("CodeScreen doesn't answer", "Over", "1 incident")


def refused_key(auditor: Auditor) -> None:
    auditor.click("Times when CodeScreen refused the API key")
    auditor.sees("CodeScreen refused the API key", "Over", "1 incident")


def invited_twice(auditor: Auditor) -> None:
    auditor.click("Was anyone invited twice this quarter?")
    auditor.sees("Candidate Fir", "1 invitation")


def written_to_lever(auditor: Auditor) -> None:
    auditor.click("What was written to Lever?")
    auditor.sees(NOTE, "CodeScreen: Assessment Completed", "Rating: 4 of 4", "82", "Candidate Birch")


def what_waits(auditor: Auditor) -> None:
    auditor.sees("Waiting now", "Invitations that need approval")
    auditor.click("Invitations that need approval")
    auditor.sees("Candidate Holly", "On hold")


def repaired_by_the_sweep(auditor: Auditor) -> None:
    auditor.click("Who was found only by comparing with Lever?")
    auditor.sees("Candidate Maple", "1 delivery")


def failed_signatures(auditor: Auditor) -> None:
    auditor.click("Webhook requests that were rejected")
    auditor.sees("signed with an earlier token", "Lever")


def last_answer(auditor: Auditor) -> None:
    auditor.click("All calls, last 24 hours")
    auditor.sees("/stages", "200", "120 ms")


def who_has_access(auditor: Auditor) -> None:
    auditor.click("Who has access?")
    auditor.sees("auditor", "Second factor", "Last sign-in", "Admin")


def personal_data(auditor: Auditor) -> None:
    auditor.find("Alder")
    auditor.sees("Candidate Alder", "Opportunity id", "What happened")
    auditor.click("Deliveries")
    auditor.sees("Stage change", "Unknown assessment")


QUESTIONS: list[Callable[[Auditor], None]] = [
    why_no_test,
    who_changed_a_mapping,
    hit_by_an_outage,
    refused_key,
    invited_twice,
    written_to_lever,
    what_waits,
    repaired_by_the_sweep,
    failed_signatures,
    last_answer,
    who_has_access,
    personal_data,
]


@pytest.fixture
def scene() -> Scene:
    return make_scene()


@pytest.fixture
def visit(browser: Browser, live_server: Any, scene: Scene) -> Iterator[Visit]:
    with Visit(browser, live_server.url, scene.auditor) as visit:
        yield visit


def test_each_question_is_answered_in_at_most_two_clicks(visit: Visit, subtests: pytest.Subtests) -> None:
    auditor = Auditor(visit.page, visit.site)
    for answer in QUESTIONS:
        with subtests.test(question=answer.__name__):
            auditor.begin()
            answer(auditor)
            assert auditor.clicks <= MOST_CLICKS
    assert visit.problems == []


def test_the_pages_are_sound_in_every_shape(visit: Visit, scene: Scene) -> None:
    pages = [
        reverse("admin:index"),
        reverse("admin:candidate", args=[scene.organization.pk, "o-birch"]),
        reverse("admin:candidate", args=[scene.organization.pk, "o-alder"]),
        *(
            reverse(f"admin:integrations_{name}_changelist")
            for name in ("candidate", "delivery", "effect", "auditentry", "incident", "webhookrejection")
        ),
    ]
    for page in pages:
        visit.open_and_check(page)
    assert visit.problems == []
