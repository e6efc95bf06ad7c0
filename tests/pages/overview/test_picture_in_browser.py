"""The picture in the README shows the overview as it is.

With MAKE_PICTURES=1 in the environment it is made again first:

    MAKE_PICTURES=1 python3 manage.py test tests/pages/overview/test_picture_in_browser.py
"""

import base64
import hashlib
import os
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.queue.models.nodes import Heartbeat
from tests.pages.activity.test_candidate_filters import candidate
from tests.support.browsing import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IMAGES = Path(settings.BASE_DIR) / "portal" / "docs" / "images"
PICTURE, SHOWS = IMAGES / "overview.webp", IMAGES / "overview.sha256"
STALE = "the page has changed: make the picture again, as the beginning of this file says, and look at it"
#: What a part of a page is: elements with their classes, and words, without times and drawings.
_CONTENT = """(part) => {
  const copy = part.cloneNode(true);
  copy.querySelectorAll("time, svg, [type=hidden]").forEach((one) => one.remove());
  const looks = [...copy.querySelectorAll("*")].map((one) => `${one.tagName} ${one.className}`);
  return [...looks, copy.textContent].join(" ");
}"""
SHAPE = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
SINCE = timedelta(hours=3)
#: The latest candidates: name, role, assessment, and how far they are.
PEOPLE = (
    ("Alder Birch", "Backend Engineer", "Backend", "invited"),
    ("Hazel Rowan", "Frontend Engineer", "Frontend", "held"),
    ("Aspen Reed", "Backend Engineer", "Backend", "uncertain"),
    ("Maple Lind", "Backend Engineer", "Backend", "Passed"),
    ("Juniper Holt", "Mobile Engineer", "", "no_assessment"),
    ("Cedar Brook", "Frontend Engineer", "Frontend", "in_progress"),
    ("Olive Thorn", "Backend Engineer", "Backend", "Failed"),
    ("Elder Wood", "Frontend Engineer", "Frontend", "submitted"),
)


def times() -> list[datetime]:
    """Return when each of the people entered, the latest first: all of them today, whatever the time is."""
    now = timezone.now()
    begin = max(now - SINCE, now.replace(hour=0, minute=0, second=0, microsecond=0))
    return [now - (now - begin) * number / len(PEOPLE) for number in range(len(PEOPLE))]


def enter(
    organization: Organization, at: datetime, name: str, role: str, assessment: str, state: str
) -> None:
    """Let a person enter the stage at that time, and come as far as stated."""
    outcome = state if state in {"Passed", "Failed"} else ""
    verdict = {"held": "held_for_approval", "no_assessment": "no_assessment"}.get(state, "invite")
    status = "completed" if outcome else state if assessment else ""
    own = {"role_title": role, "assessment_name": assessment, "entered_at": at}
    row = candidate(organization, name, verdict, status, outcome, **own)
    if sent := row.invitation:
        is_begun = outcome or state in {"in_progress", "submitted"}
        sent.assessment_name, sent.started_at = assessment, at if is_begun else None
        sent.invited_at = None if state in {"held", "uncertain"} else at
        sent.feedback_id = "feedback" if outcome else ""
        sent.save()


def test_the_picture_in_the_readme_shows_the_overview_as_it_is(
    browser: Browser, live_server, ready_organization: Organization, super_admin: User
) -> None:
    Organization.objects.update(name="Acme")
    User.objects.filter(pk=super_admin.pk).update(username="lead")
    Heartbeat.beat()
    for person, at in zip(PEOPLE, times(), strict=True):
        enter(ready_organization, at, *person)
    Delivery.objects.update(explanation="")
    Result.objects.filter(outcome="Failed").update(score=31)
    with Visit(browser, live_server.url, super_admin, **SHAPE) as visit:
        visit.page.goto(live_server.url)
        overview = visit.page.locator('[data-live="overview"]')
        parts = (visit.page.locator("header.side"), overview)
        content = " ".join(part.evaluate(_CONTENT) for part in parts)
        shown = hashlib.sha256(re.sub(r"[\d\s]+", " ", content).encode()).hexdigest()
        if os.environ.get("MAKE_PICTURES"):
            end = overview.evaluate("(element) => element.getBoundingClientRect().bottom")
            visit.page.set_viewport_size({"width": 1280, "height": round(end)})
            clip = {"x": 0, "y": 0, "width": 1280, "height": round(end), "scale": 1}
            answer = visit.page.context.new_cdp_session(visit.page).send(
                "Page.captureScreenshot", {"format": "webp", "quality": 70, "clip": clip}
            )
            PICTURE.write_bytes(base64.b64decode(answer["data"]))
            SHOWS.write_text(f"{shown}\n")
    assert shown == SHOWS.read_text().strip(), STALE
