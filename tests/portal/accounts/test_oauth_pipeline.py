"""The end of Lever's consent: where it leads back to, what it sets going, and a Lever account somebody else uses."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from integrations.models import LeverConnection
from integrations.queue import notify
from tests import factories


@pytest.fixture
def asked(monkeypatch):
    """The organizations whose lists were asked for."""
    rows = []
    monkeypatch.setattr(
        notify, "request_catalog_refresh", lambda organization: rows.append(organization.slug)
    )
    return rows


def consent(client, sandbox, **form):
    """Go through Lever's consent; the answer that leads back into the portal."""
    begun = client.post(reverse("lever-connect"), form)
    accepted = sandbox.lever_does("consent", url=begun["Location"])
    return client.get(accepted["redirect"].removeprefix("http://testserver"))


def test_consent_leads_back_to_the_page_it_was_begun_on_and_asks_for_the_lists(
    client, super_admin, organization, sandbox, asked
):
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    assert consent(client, sandbox, next="/")["Location"] == "/"
    assert asked == [organization.slug]
    # a way back of an earlier attempt is not the next one's
    assert consent(client, sandbox)["Location"] == "/settings/"


@pytest.mark.parametrize(("form", "target"), [({"next": "/"}, "/"), ({}, "/settings/")])
def test_a_denied_consent_leads_back_to_where_it_was_begun(
    client, super_admin, organization, sandbox, form, target
):
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    begun = client.post(reverse("lever-connect"), form)
    state = parse_qs(urlsplit(begun["Location"]).query)["state"][0]
    answer = client.get("/oauth/complete/lever/", {"error": "access_denied", "state": state})
    assert answer["Location"] == target


def test_consent_never_leads_to_another_site(client, super_admin, organization, sandbox, asked):
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    assert "evil" not in consent(client, sandbox, next="https://evil.example/")["Location"]


def test_a_lever_account_that_another_organization_uses_is_connected_with_a_warning(
    client, super_admin, organization, sandbox, asked
):
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    consent(client, sandbox)
    grant = LeverConnection.objects.get(organization=organization)
    assert "same Lever account" not in client.get("/").content.decode()
    factories.LeverConnectionFactory.create(lever_account_id=grant.lever_account_id)
    consent(client, sandbox)
    assert "same Lever account" in client.get("/").content.decode()
    assert LeverConnection.objects.get(organization=organization).is_working
