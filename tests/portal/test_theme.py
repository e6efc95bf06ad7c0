"""Light, dark or as the system: chosen without JavaScript, followed by the site and the admin."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser

from portal.theme import Theme
from tests.support.browsing import Visit


def test_the_choice_is_kept_and_leads_back_to_the_page(super_admin_client, organization) -> None:
    answer = super_admin_client.post("/theme/", {"theme": "dark", "next": "/activity/?view=held"})
    assert answer["Location"] == "/activity/?view=held"
    assert 'class="theme-dark has-side"' in super_admin_client.get("/").content.decode()
    super_admin_client.post("/theme/", {"theme": "system"})
    assert 'class="theme-system has-side"' in super_admin_client.get("/").content.decode()


def test_what_is_no_choice_changes_nothing(super_admin_client, organization) -> None:
    answer = super_admin_client.post("/theme/", {"theme": "pink", "next": "https://evil.example/"})
    assert answer["Location"] == "/"
    assert "theme" not in answer.cookies
    super_admin_client.cookies["theme"] = 'dark" onload="'
    assert 'class="theme-system has-side"' in super_admin_client.get("/").content.decode()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("theme", Theme)
def test_the_site_and_the_admin_follow_the_choice(
    browser: Browser, live_server, super_admin: User, theme: Theme
) -> None:
    super_admin.is_staff = True
    super_admin.save()
    system = "dark" if theme == Theme.LIGHT else "light"
    with Visit(
        browser, live_server.url, super_admin, java_script_enabled=False, color_scheme=system
    ) as visit:
        visit.page.goto(live_server.url)
        visit.page.click("summary:visible")
        visit.page.click(f"button[value={theme}]:visible")
        is_dark = []
        for path in ("/", "/admin/"):
            visit.page.goto(live_server.url + path)
            assert visit.page.locator(f"button[value={theme}][aria-pressed=true]").count()
            background = visit.page.locator("body").evaluate(
                "(body) => getComputedStyle(body).backgroundColor"
            )
            is_dark.append(background == "rgb(16, 23, 22)")
    assert is_dark == [theme == Theme.DARK] * 2
