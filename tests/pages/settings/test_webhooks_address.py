"""The settings' button for a new webhook address."""

import pytest
from cryptography.fernet import Fernet
from django.urls import reverse

from integrations.clients import provider
from integrations.lever.acts import make_webhook
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


def test_the_portals_webhook_is_moved_at_once(client_for, connected_organization, sandbox, super_admin):
    make_webhook(connected_organization, provider.lever_client(connected_organization), super_admin)
    page = text(client_for(super_admin).post(REPLACE, follow=True))
    assert "has the new address in Lever" in page
    [hook] = [hook for hook in sandbox.lever.accounts["acme"].events.webhooks.values() if hook.by_api]
    assert hook.url == Organization.objects.get().lever_webhook_url


def test_a_webhook_that_lever_did_not_move_is_told(client_for, connected_organization, sandbox, super_admin):
    make_webhook(connected_organization, provider.lever_client(connected_organization), super_admin)
    rule = {"method": "PUT", "path": "/v1/webhooks$", "kind": "status", "times": 1, "status": 503}
    sandbox.lever_does("faults", seed=1, rules=[rule])
    client = client_for(super_admin)
    page = text(client.post(REPLACE, follow=True))
    assert "still has the former address" in page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_pages_are_accessible_and_fit_a_phone(live_server, browser, ready_organization, super_admin):
    with Visit(browser, live_server.url, super_admin) as visit:
        visit.open_and_check(reverse("settings"))
        visit.page.locator("#advanced > summary").click()
        visit.check()
        assert visit.problems == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_pages_are_accessible_when_no_secret_can_be_read(
    live_server, browser, ready_organization, super_admin, settings
):
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with Visit(browser, live_server.url, super_admin) as visit:
        visit.open_and_check(reverse("settings"))
        visit.open_and_check(reverse("overview"))
        assert visit.problems == []
