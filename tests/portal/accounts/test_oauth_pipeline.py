"""The end of Lever's consent: the redirect, the catalog refresh, and a Lever account of another organization."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from integrations.models import LeverConnection, ShapeDeviation
from integrations.queue import notify
from tests import factories


@pytest.fixture
def refreshed(monkeypatch):
    """The slugs of the organizations whose catalog refresh was requested."""
    slugs = []
    monkeypatch.setattr(
        notify, "request_catalog_refresh", lambda organization: slugs.append(organization.slug)
    )
    return slugs


def consent(client, sandbox, **form):
    """Accept Lever's consent and return the response of the callback."""
    begun = client.post(reverse("lever-connect"), form)
    accepted = sandbox.lever_does("consent", url=begun["Location"])
    return client.get(accepted["redirect"].removeprefix("http://testserver"))


def test_consent_returns_to_its_page_and_requests_a_catalog_refresh(
    client, super_admin, organization, sandbox, refreshed
):
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    assert consent(client, sandbox, next="/")["Location"] == "/"
    assert refreshed == [organization.slug]
    # the first attempt's `next` isn't kept for the second
    assert consent(client, sandbox)["Location"] == "/settings/"


def test_a_consent_whose_token_answer_differs_is_stored_and_recorded(
    client, super_admin, organization, sandbox, refreshed, monkeypatch
):
    issue = sandbox.lever.grants.issue
    monkeypatch.setattr(
        sandbox.lever.grants, "issue", lambda *grant: issue(*grant) | {"expires_in": "3600", "scope": None}
    )
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    consent(client, sandbox)
    assert LeverConnection.objects.get(organization=organization).is_working
    row = ShapeDeviation.objects.get()
    assert (row.endpoint, row.field, row.is_readable) == ("POST /oauth/token", "expires_in", True)


@pytest.mark.parametrize(("form", "target"), [({"next": "/"}, "/"), ({}, "/settings/")])
def test_a_denied_consent_returns_to_its_page(client, super_admin, organization, sandbox, form, target):
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    begun = client.post(reverse("lever-connect"), form)
    state = parse_qs(urlsplit(begun["Location"]).query)["state"][0]
    answer = client.get("/oauth/complete/lever/", {"error": "access_denied", "state": state})
    assert answer["Location"] == target


def test_consent_never_redirects_to_another_site(client, super_admin, organization, sandbox, refreshed):
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    assert "evil" not in consent(client, sandbox, next="https://evil.example/")["Location"]


def test_connecting_a_lever_account_of_another_organization_warns(
    client, super_admin, organization, sandbox, refreshed
):
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    consent(client, sandbox)
    grant = LeverConnection.objects.get(organization=organization)
    assert "same Lever account" not in client.get("/").content.decode()
    factories.LeverConnectionFactory.create(lever_account_id=grant.lever_account_id)
    consent(client, sandbox)
    assert "same Lever account" in client.get("/").content.decode()
    assert LeverConnection.objects.get(organization=organization).is_working
