"""The pages in Chromium: accessible in light and dark, wide and narrow; strict policy; usable without JavaScript."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page

from integrations.models import Assessment, Membership, Result, Role, RoleMapping, Stage
from portal import suites
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = ("/", "/activity/", "/activity/?show=deliveries", "/mappings/", "/what-if/", "/health/", "/settings/")
SHAPES = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": suites.chromium(), "args": ["--no-sandbox"]}


@pytest.fixture
def site(live_server, organization, owner) -> Iterator[str]:
    """The running site, with a held and an uncertain invitation in it."""
    factories.member(organization, Membership.Role.ADMIN, "second")
    held = factories.InvitationFactory.create(
        organization=organization, status="held", role_title="Backend Engineer"
    )
    factories.InvitationFactory.create(organization=organization, status="uncertain")
    factories.DeliveryFactory.create(
        organization=organization, invitation=held, opportunity_id=held.opportunity_id
    )
    return live_server.url


def sign_in(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", "correct horse battery")
    page.click("main button")


def full_pages(organization: Any) -> list[str]:
    """Fill the organization, and return the pages that show it: pictures, roles, a rehearsal, a timeline."""
    now = timezone.now()
    for number, name in enumerate(("CodeScreen Assessment", "CodeScreen Take-home"), start=1):
        Stage.objects.create(organization=organization, external_id=f"stage-{number}", name=name)
    Role.objects.create(organization=organization, external_id="role-1", title="Chef", state="published")
    Assessment.objects.create(organization=organization, external_id="a-1", name="Backend")
    RoleMapping.objects.create(organization=organization, role="Baker", assessment="Bakend")
    for status, opportunity in (("completed", "o-done"), ("invited", "o-invited")):
        row = factories.InvitationFactory.create(
            organization=organization,
            status=status,
            opportunity_id=opportunity,
            instance_id=f"i-{status}",
            invited_at=now,
        )
        factories.DeliveryFactory.create(
            organization=organization,
            opportunity_id=opportunity,
            invitation=row,
            verdict="invite",
            explanation="“Backend” is sent: the tag names it.",
            decided_at=now,
            due_at=None,
        )
    Result.objects.create(invitation=row, outcome="Passed", score=82, rating=4)
    waits = factories.InvitationFactory.create(
        organization=organization,
        status="completed",
        opportunity_id="o-waits",
        instance_id="i-waits",
        completed_at=now,
        awaits_decision_since=now,
    )
    Result.objects.create(invitation=waits, outcome="Failed", score=31, rating=2)
    factories.EffectFactory.create(
        organization=organization,
        invitation=waits,
        opportunity_id="o-waits",
        kind="move_stage",
        payload={"stage": "Phone screen"},
        state="cancelled",
        due_at=None,
        last_error="The candidate is archived in Lever: a recruiter has decided, so nobody is moved.",
    )
    factories.EffectFactory.create(organization=organization, state="failed", due_at=None)
    delivery = organization.deliveries.get(opportunity_id="o-done")
    return [
        "/",
        "/activity/",
        "/activity/?show=effects",
        "/activity/?status=awaits_decision",
        "/activity/o-done/",
        "/activity/o-waits/",
        f"/deliveries/{delivery.pk}/",
        "/mappings/?show=unmapped",
        "/mappings/?stage=stage-2&q=ch",
        "/what-if/?candidate=o-done&stage=stage-1",
        "/what-if/?candidate=two+words&stage=stage-1",
        "/what-if/?candidate=Candidate&stage=stage-1",
    ]


@pytest.mark.parametrize(("width", "scheme"), SHAPES)
def test_no_violation_no_console_error_and_no_sideways_scrolling(
    browser: Browser, site: str, owner, organization, width: int, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    sign_in(page, site, owner.username)
    for path in (*PAGES, *full_pages(organization)):
        page.goto(site + path)
        found = Axe().run(page).response["violations"]
        assert not found, (path, [(rule["id"], rule["nodes"][0]["html"]) for rule in found])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert said == []
    page.close()


def test_the_webhook_address_is_copied_with_one_button(
    browser: Browser, site: str, owner, organization
) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    sign_in(page, site, owner.username)
    page.goto(f"{site}/settings/")
    page.click("button[data-copy=lever-webhook-url]")
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == organization.lever_webhook_url
    context.close()


def test_approving_works_without_javascript_and_by_keyboard(browser: Browser, site: str, owner) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, owner.username)
    page.goto(f"{site}/activity/?status=held")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Approve").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Approved: the invitation goes out by itself.").wait_for()
    assert page.get_by_text("Nothing matches.").is_visible()
    context.close()


def test_a_step_turns_green_by_itself_and_says_so(browser: Browser, live_server, organization, owner) -> None:
    page = browser.new_page()
    sign_in(page, live_server.url, owner.username)
    page.locator("#step-lever .mark", has_text="1").wait_for()
    summary = page.locator("#how-codescreen > summary")
    summary.focus()
    page.keyboard.press("Enter")
    factories.LeverConnectionFactory.create(organization=organization)
    page.locator("#step-lever.is-done").wait_for(timeout=20_000)
    assert page.locator("[data-live-bar] [role=status]").inner_text() == "1 of 7 steps are done."
    # what was opened stays open, and the keyboard stays where it was
    assert page.locator("#how-codescreen").get_attribute("open") is not None
    assert page.evaluate("document.activeElement.parentElement.id") == "how-codescreen"
    page.close()


def test_what_is_being_typed_survives_and_updates_can_be_paused(
    browser: Browser, site: str, organization, owner
) -> None:
    page = browser.new_page()
    sign_in(page, site, owner.username)
    page.goto(f"{site}/activity/")
    page.get_by_text("Was it sent?").click()
    field = page.get_by_label("Instance id in CodeScreen")
    field.fill("instance-7")
    factories.InvitationFactory.create(organization=organization, candidate_name="Candidate Late")
    page.wait_for_timeout(6500)
    assert field.input_value() == "instance-7"
    field.fill("")
    page.get_by_role("button", name="Pause updates").click()
    page.wait_for_timeout(6500)
    assert page.get_by_text("Candidate Late").count() == 0
    page.get_by_role("button", name="Pause updates").click()
    page.get_by_text("Candidate Late").wait_for(timeout=20_000)
    page.close()
