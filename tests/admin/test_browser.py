"""The admin in a real browser: no violation of the content security policy, and its records lead to the site."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from tests.admin.conftest import make_customer
from tests.admin.test_scope import OWNED, address

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_admin_reads_lists_and_approves_in_a_browser(live_server: Any, page: Page) -> None:
    acme = make_customer("acme")
    user = User.objects.create_user("lead", password="correct horse battery", is_staff=True)
    Membership.objects.create(user=user, organization=acme.organization, role="admin")
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("response", lambda found: problems.append(found.url) if found.status >= 400 else None)
    page.on("pageerror", lambda error: problems.append(str(error)))

    page.goto(f"{live_server.url}{address(Invitation, 'changelist')}")
    page.fill("[name=login]", "lead")
    page.fill("[name=password]", "correct horse battery")
    page.click("[type=submit]")
    for model in OWNED:
        for place in (address(model, "changelist"), address(model, "change", acme.rows[model].pk)):
            page.goto(f"{live_server.url}{place}")
            assert not problems, (place, problems)
            if model is Delivery:
                violations = Axe().run(page, options={"preload": False}).response["violations"]
                assert not violations, (place, [violation["id"] for violation in violations])

    page.goto(f"{live_server.url}{address(Invitation, 'change', acme.rows[Invitation].pk)}")
    page.click("text=Open on the site")
    assert page.inner_text("h1") == "Candidate of acme"
    page.get_by_role("button", name="Send now").click()
    page.get_by_text("Waiting to be sent").first.wait_for()
    assert Invitation.objects.get(pk=acme.rows[Invitation].pk).status == "pending"
    assert not problems
