"""The picture in the README shows the overview as it is.

With MAKE_PICTURES=1 in the environment it is made again first:

    MAKE_PICTURES=1 python3 manage.py test tests/pages/overview/test_picture_in_browser.py
"""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser

from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.queue.models.nodes import Heartbeat
from tests.support import factories
from tests.support.browsing import Visit
from tests.support.pictures import STALE, are_made, capture, shown_by

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IMAGES = Path(settings.BASE_DIR) / "portal" / "docs" / "images"
PICTURE, SHOWS = IMAGES / "overview.webp", IMAGES / "overview.sha256"
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


def enter(organization: Organization, person: tuple[str, str, str, str], at: datetime) -> Candidate:
    """Let a person enter the stage, and come as far as stated."""
    name, role, assessment, state = person
    own = {"organization": organization, "opportunity_id": f"o-{name.lower().replace(' ', '-')}"}
    invitation = None
    if assessment:
        outcome = state if state in {"Passed", "Failed"} else ""
        invitation = factories.InvitationFactory.create(
            **own,
            candidate_name=name,
            role_title=role,
            assessment_name=assessment,
            created_at=at,
            changed_at=at,
            status="completed" if outcome else state,
            instance_id="" if state in {"held", "uncertain"} else f"i-{name}",
            invited_at=None if state in {"held", "uncertain"} else at + timedelta(seconds=2),
            started_at=at if outcome or state in {"in_progress", "submitted"} else None,
            submitted_at=at if outcome or state == "submitted" else None,
            completed_at=at if outcome else None,
            feedback_id="feedback" if outcome else "",
        )
        if outcome:
            score = 82 if outcome == "Passed" else 31
            Result.objects.create(invitation=invitation, outcome=outcome, score=score, created_at=at)
            factories.EffectFactory.create(
                **own, invitation=invitation, kind="write_feedback", key=name, state="done", due_at=None
            )
    verdict = {"held": "held_for_approval", "no_assessment": "no_assessment"}.get(state, "invite")
    delivery = factories.DeliveryFactory.create(
        **own, received_at=at, decided_at=at, due_at=None, verdict=verdict, invitation=invitation
    )
    return factories.CandidateFactory.create(
        **own,
        name=name,
        role_id="",
        role_title=role,
        assessment_name=assessment,
        entered_at=at,
        delivery=delivery,
        invitation=invitation,
        outcome=state if state in {"Passed", "Failed"} else "",
    )


def test_the_picture_in_the_readme_shows_the_overview_as_it_is(
    browser: Browser, live_server, ready_organization: Organization, super_admin: User
) -> None:
    Organization.objects.update(name="Acme")
    User.objects.filter(pk=super_admin.pk).update(username="lead")
    Heartbeat.beat()
    for person, at in zip(PEOPLE, times(), strict=True):
        enter(ready_organization, person, at)
    with Visit(browser, live_server.url, super_admin, **SHAPE) as visit:
        visit.page.goto(live_server.url)
        overview = visit.page.locator('[data-live="overview"]')
        shown = "".join(map(shown_by, (visit.page.locator("header.side"), overview)))
        if are_made():
            end = overview.evaluate("(element) => element.getBoundingClientRect().bottom")
            visit.page.set_viewport_size({"width": 1280, "height": round(end)})
            capture(visit.page, {"x": 0, "y": 0, "width": 1280, "height": end}, PICTURE, 1)
            SHOWS.write_text(f"{shown}\n")
    assert shown == SHOWS.read_text().strip(), STALE
