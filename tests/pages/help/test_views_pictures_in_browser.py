"""The pictures of the help show the product as it is.

With MAKE_PICTURES=1 in the environment they are made again first:

    MAKE_PICTURES=1 python3 manage.py test tests/pages/help/test_views_pictures_in_browser.py
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Page

from integrations.organizations.models.organization import Organization
from integrations.pages.help import views
from integrations.pages.help.topics import Topic
from integrations.pages.help.views import MadePicture
from tests.pages.candidate import histories
from tests.support import factories
from tests.support.browsing import Visit
from tests.support.pictures import STALE, Content, are_made, capture, shown_by

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOLDER = Path(settings.BASE_DIR) / "static" / "help"
#: A picture has so many pixels for each one of the page, so that it is sharp on every screen.
SCALE = 2
MOST_BYTES = 60_000


def parts(page: Page, site: str, organization: Organization, person: User) -> Iterator[tuple[str, Locator]]:
    """Open each page in turn; yield the name of a picture and the part of the page that it shows."""
    page.goto(f"{site}/settings/")
    yield "connect_lever", page.locator("#lever")
    yield "enter_key", page.locator("#codescreen")
    factories.LeverConnectionFactory.create(organization=organization)
    page.goto(f"{site}/settings/")
    page.locator("#by-hand > summary").click()
    page.locator("h1").hover()
    yield "make_webhook", page.locator("#webhook")
    page.set_viewport_size({"width": 860, "height": 900})
    for name, state in (("not_invited", "not-invited"), ("on_hold", "held"), ("result", "passed")):
        page.goto(site + histories.make(organization, person, state))
        yield name, page.locator(".outcome")


def make(name: str, page: Page, part: Locator) -> MadePicture:
    """Store the picture of a part of a page; return its size on the page, and what it shows."""
    # a clip counts from the top of the page, a box from the top of the window
    page.evaluate("scrollTo(0, 0)")
    box = part.evaluate(
        "(e) => { const { x, y, width, height } = e.getBoundingClientRect(); return { x, y, width, height }; }"
    )
    size = capture(page, box, FOLDER / f"{name}.webp", SCALE)
    return {"width": size["width"], "height": size["height"], "shows": shown_by(part)}


def test_the_pictures_show_the_pages_as_they_are(
    browser: Browser, live_server, organization: Organization, super_admin: User
) -> None:
    shown = dict[str, str]()
    made = dict[str, MadePicture]()
    shape = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
    with Visit(browser, live_server.url, super_admin, **shape) as visit:
        for name, part in parts(visit.page, live_server.url, organization, super_admin):
            if are_made():
                made[name] = make(name, visit.page, part)
            shown[name] = shown_by(part)
    if made:
        views.RECORD.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n")
    assert shown == {name: picture["shows"] for name, picture in views.recorded().items()}, STALE
    assert set(shown) == set(views.NAMES)


@pytest.mark.parametrize("topic", [Topic.SET_UP, Topic.VERDICTS, Topic.INVITATIONS, Topic.RESULTS])
def test_the_pictures_of_a_page_are_loaded_in_their_size(
    browser: Browser, live_server, super_admin: User, topic: Topic
) -> None:
    with Visit(browser, live_server.url, super_admin) as visit:
        visit.page.goto(live_server.url + reverse(topic))
        images = visit.page.locator("img.help-picture")
        images.first.wait_for()
        for image in images.all():
            image.evaluate("(element) => element.decode()")
            width = int(image.get_attribute("width") or 0)
            assert image.evaluate("(element) => element.naturalWidth") == SCALE * width > 0
    assert visit.problems == []


@pytest.mark.parametrize("name", views.NAMES)
def test_a_picture_is_small(name: str) -> None:
    assert (FOLDER.parent / views.PICTURES[name].path).stat().st_size <= MOST_BYTES


def test_what_a_picture_shows_differs_by_words_and_classes_and_not_by_numbers() -> None:
    page = '<p class="badge">On hold <time>12:00</time></p>'
    assert Content(page).hash() == Content(page.replace("12:00", "13:30")).hash()
    assert Content(page + "<b>7</b>").hash() == Content(page + "<b>8</b>").hash()
    assert Content(page).hash() != Content(page.replace("On hold", "Held")).hash()
    assert Content(page).hash() != Content(page.replace("badge", "note")).hash()
