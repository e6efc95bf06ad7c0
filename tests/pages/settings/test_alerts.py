"""The page where a Super Admin sets up alerts."""

import pytest
from django.urls import reverse

from integrations.models import AlertAddress
from tests import factories
from tests.alert_receiver import receiving

PAGE = "/settings/alerts/"
FORM = {"name": "#hiring", "kind": "slack", "url": "https://1.1.1.1/T-SECRET", "wants_results": "on"}


@pytest.fixture
def receiver(settings):
    settings.ALLOW_PRIVATE_ADDRESSES = True
    with receiving() as server:
        yield server


def told(client, answer) -> str:
    """Follow the redirect and return the page."""
    assert answer.status_code == 302
    return client.get(answer["Location"]).content.decode()


def test_an_empty_page_says_what_to_do(super_admin_client, organization):
    page = super_admin_client.get(PAGE).content.decode()
    assert "No address yet" in page
    assert "Incoming Webhooks" in page


def test_an_address_is_added_and_its_url_is_not_shown(super_admin_client, organization):
    page = told(super_admin_client, super_admin_client.post(PAGE, FORM))
    assert "“#hiring” is added" in page
    assert "Slack message · 1.1.1.1" in page
    assert "T-SECRET" not in page
    address = AlertAddress.objects.get()
    assert (address.wants_results, address.wants_held) == (True, False)


def test_a_signing_secret_is_shown_once(super_admin_client, organization):
    answer = super_admin_client.post(PAGE, {**FORM, "kind": "signed"})
    secret = AlertAddress.objects.get().secret
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert secret not in super_admin_client.get(PAGE).content.decode()


def test_a_private_address_is_refused_at_the_field_without_repeating_it(super_admin_client, organization):
    page = super_admin_client.post(PAGE, {**FORM, "url": "https://127.0.0.1/T-SECRET"}).content.decode()
    assert "leads into a private network" in page
    assert "T-SECRET" not in page
    assert not AlertAddress.objects.exists()


def test_a_full_list_has_no_form(super_admin_client, organization):
    for number in range(5):
        factories.alert_address(organization, name=str(number))
    page = super_admin_client.get(PAGE).content.decode()
    assert "Remove one to add another" in page
    assert 'name="url"' not in page


def test_a_test_says_how_it_went(super_admin_client, organization, receiver):
    address = factories.alert_address(organization, url=receiver.url, host="127.0.0.1")
    test = reverse("alert-test", kwargs={"pk": address.pk})
    assert "accepted the test" in told(super_admin_client, super_admin_client.post(test))
    receiver.answers = [(410, {})]
    page = told(super_admin_client, super_admin_client.post(test))
    assert "127.0.0.1 answered 410" in page
    assert "T-SECRET" not in page


def test_a_stopped_address_says_what_starts_it(super_admin_client, organization):
    at = factories.a_moment_ago()
    factories.alert_address(
        organization, stopped_at=at, last_failure_at=at, last_failure="hooks.example answered 410"
    )
    page = super_admin_client.get(PAGE).content.decode()
    assert "Stopped" in page
    assert "hooks.example answered 410" in page
    assert "until a test is accepted" in page


def test_an_address_is_removed(super_admin_client, organization):
    address = factories.alert_address(organization)
    page = told(
        super_admin_client, super_admin_client.post(reverse("alert-remove", kwargs={"pk": address.pk}))
    )
    assert "is removed" in page
    assert not AlertAddress.objects.exists()


@pytest.mark.parametrize("name", ["alert-test", "alert-remove"])
def test_another_organizations_address_is_not_found(super_admin_client, organization, name):
    theirs = factories.alert_address(factories.OrganizationFactory.create())
    assert super_admin_client.post(reverse(name, kwargs={"pk": theirs.pk})).status_code == 404
    assert AlertAddress.objects.filter(pk=theirs.pk).exists()
