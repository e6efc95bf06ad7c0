"""Requests to Super Admins, unsubscribing and time zones in Chromium."""

import pytest
from django.urls import reverse
from playwright.sync_api import Browser

from integrations.audit.models.entry import AuditAction, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.health.models import WebhookRejection
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailKind, unsubscribe_link
from tests.support import factories
from tests.support.browsing import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(live_server, organization, super_admin) -> str:
    """The running site with members, audit entries and a rejected request."""
    factories.member(organization, Membership.Role.TEAM_MEMBER, "a-rather-long-user-name-of-somebody")
    acme = AuditTarget(TargetKind.ORGANIZATION, organization.pk, "Acme")
    changes = {"bulk_limit": (50, 7)}
    audit(acme, super_admin, AuditAction.CHANGE_POLICIES, changes, "Because.", organization=organization)
    mapping = AuditTarget(TargetKind.MAPPING, 1, "Backend Engineer")
    audit(
        mapping, "configure", AuditAction.ADD_MAPPING, {"assessment": (None, "A")}, organization=organization
    )
    WebhookRejection.record(organization, "lever", "signature_mismatch", "former_token")
    return live_server.url


def test_a_person_asks_the_admins_by_keyboard_and_without_javascript(
    browser: Browser, site: str, super_admin, team_member
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, team_member.username)
    page.goto(site + "/audit/")
    page.get_by_role("button", name=f"Ask {super_admin}").focus()
    page.keyboard.press("Enter")
    page.get_by_text(f"{super_admin} will get an e-mail from you.").wait_for()
    page.get_by_text(f"You asked {super_admin} at").wait_for()
    context.close()


def test_a_person_unsubscribes_by_the_link(browser: Browser, site: str, super_admin) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    link = unsubscribe_link(Membership.objects.get(user=super_admin), EmailKind.RESULTS)
    page.goto(site + link.removeprefix("http://testserver"))
    page.get_by_role("button", name="Stop them").click()
    page.get_by_text("You no longer get").wait_for()
    page.goto(site + reverse("account"))
    assert "/accounts/login/" in page.url
    context.close()


def test_the_browsers_zone_is_used_from_the_first_page_on(browser: Browser, site: str, super_admin) -> None:
    context = browser.new_context(timezone_id="Asia/Calcutta")
    page = context.new_page()
    sign_in(page, site, super_admin.username)
    page.goto(site + "/audit/")
    page.get_by_text("Times are in Asia/Calcutta.").wait_for()
    assert "in Asia/Calcutta · " in str(page.locator("time").first.get_attribute("title"))
    cookie = next(cookie for cookie in context.cookies() if cookie["name"] == "time_zone")
    assert (cookie["value"], cookie["sameSite"]) == ("Asia/Calcutta", "Lax")
    context.close()
