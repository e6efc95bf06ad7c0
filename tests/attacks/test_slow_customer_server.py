"""One customer's server that never answers: it holds one thread of a process, and keeps no other customer waiting."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core.cache import cache
from django.test import Client

from integrations.http import public_web
from integrations.single_sign_on.models import IdentityProvider, SignInDomain
from tests.portal.accounts.single_sign_on_scene import begin, prove, set_up
from tests.support import factories
from tests.support.identity_provider import Provider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def silent(settings) -> Iterator[str]:
    """The address of a server that takes connections and never answers; who calls it is counted by its backlog."""
    settings.ALLOW_PRIVATE_ADDRESSES = True
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def busy(organization) -> Iterator[None]:
    """Another request that waits for this organization's server."""
    begun, over = threading.Event(), threading.Event()

    def wait() -> None:
        with public_web.bound_customer_calls():
            public_web.begin_customer_call(organization.pk)
            begun.set()
            over.wait(30)

    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait(30)
    yield
    over.set()
    thread.join()


@pytest.fixture
def acts(organization, super_admin_client, silent) -> dict[str, Callable[[], Any]]:
    """Everything on a page that calls a server which the organization names."""
    domain = prove(organization)
    set_up(organization, Provider(silent))
    settings = {"issuer": f"{silent}/other", "client_id": "portal"}
    post = super_admin_client.post
    return {
        "save the provider": lambda: post("/settings/sso/", settings),
        "check a domain": lambda: post(f"/settings/sso/domains/{domain.pk}/check/"),
        "try": lambda: post("/sso/try/"),
        "sign in": lambda: Client().post("/sso/login/", {"email": "carol@acme.example"}),
        "come back": lambda: _come_back(silent),
    }


def _come_back(issuer: str) -> Any:
    """Return with a code from the provider, whose discovery document was read before."""
    endpoints = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    document = {"issuer": issuer, **{name: f"{issuer}/{name}" for name in endpoints}}
    client = Client()
    with mock.patch("portal.accounts.openid_connect.discover", return_value=document):
        target = begin(client)
    cache.clear()
    with mock.patch("portal.accounts.openid_connect.cache.get", return_value=document):
        state = parse_qs(urlsplit(target).query)["state"][0]
        return client.get(
            f"/sso/complete/{IdentityProvider.objects.get().organization.slug}/?code=1&state={state}"
        )


def test_while_one_request_waits_the_others_are_told_to_wait_at_once(busy, acts, organization):
    for name, act in acts.items():
        began = time.monotonic()
        answer = act()
        assert (name, answer.status_code, answer["Retry-After"]) == (name, 429, "3")
        assert "Another request is under way" in answer.content.decode()
        assert time.monotonic() - began < public_web.CALL_SECONDS, name
    assert IdentityProvider.objects.get().issuer.count("/") == 2
    assert SignInDomain.objects.get().checked_at is None


def test_a_page_that_a_provider_led_to_is_loaded_again(busy, acts):
    assert acts["come back"]()["Refresh"] == "3"
    assert "Refresh" not in acts["try"]().headers


def test_another_customer_is_not_kept_waiting(busy):
    other = factories.OrganizationFactory.create()
    with public_web.bound_customer_calls():
        assert public_web.begin_customer_call(other.pk) == public_web.CALL_SECONDS


def test_few_requests_of_all_customers_wait_at_once_and_one_goes_on_when_another_ends():
    taken = [public_web.bound_customer_calls() for _ in range(public_web.AT_ONCE)]
    for number, request in enumerate(taken):
        request.__enter__()
        public_web.begin_customer_call(-number)
        public_web.begin_customer_call(-number)  # its second call needs no second slot
    with public_web.bound_customer_calls(), pytest.raises(public_web.TooManyCalls):
        public_web.begin_customer_call(-100)
    for request in reversed(taken):
        request.__exit__(None, None, None)
    with public_web.bound_customer_calls():
        assert public_web.begin_customer_call(-100) == public_web.CALL_SECONDS


def test_a_call_in_a_request_ends_sooner_than_a_workers(silent, organization, monkeypatch):
    monkeypatch.setattr(public_web, "CALL_SECONDS", 0.1)
    with public_web.bound_customer_calls(), pytest.raises(requests.Timeout):
        public_web.call("GET", silent, organization.pk)


def test_a_provider_without_discovery_is_asked_once_a_minute(acts, monkeypatch):
    monkeypatch.setattr(public_web, "CALL_SECONDS", 0.1)
    with mock.patch.object(public_web, "call", wraps=public_web.call) as call:
        for _ in range(3):
            assert acts["sign in"]().status_code == 200
    assert call.call_count == 1
