"""The settings' button for a new webhook address."""

import pytest
from cryptography.fernet import Fernet
from django.urls import reverse

from integrations.clients import provider
from integrations.lever.acts.webhooks import make_webhook
from integrations.organizations.models.organization import Organization
from tests.support.browsing import Visit
from tests.support.page_text import text

REPLACE = "/settings/webhooks/address/"


def test_a_super_admin_makes_a_new_address_and_sees_the_former_one(super_admin_client, ready_organization):
    former = ready_organization.webhook_key
    page = text(super_admin_client.post(REPLACE, follow=True))
    assert Organization.objects.get().webhook_key in page
    assert former not in page
    assert "still works until" in page
    assert "The one before is refused at once." in page


@pytest.mark.parametrize(
    ("refusals", "said"), [(0, "has the new address in Lever"), (1, "still has the former address")]
)
def test_the_page_says_whether_the_portals_webhook_was_moved(
    super_admin_client, super_admin, connected_organization, sandbox, refusals, said
):
    make_webhook(connected_organization, provider.lever_client(connected_organization), super_admin)
    rule = {"method": "PUT", "path": "/v1/webhooks$", "kind": "status", "times": refusals, "status": 503}
    sandbox.lever_does("faults", seed=1, rules=[rule] * refusals)
    page = text(super_admin_client.post(REPLACE, follow=True))
    assert said in page
    assert "Put it into Lever" not in page, "the portal does"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_what_is_folded_is_accessible_and_so_is_the_page_when_no_secret_can_be_read(
    live_server, browser, ready_organization, super_admin, settings
):
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with Visit(browser, live_server.url, super_admin) as visit:
        visit.page.goto(visit.site + reverse("settings"))
        visit.page.locator("#advanced > summary").click()
        visit.check()
