"""Failures of the consent: whatever Lever repeats in them, no code, state or client secret is logged or shown.

And what is sent to exchange the code goes to Lever alone.
"""

import logging
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.urls import reverse

AUTH = "https://auth.lever.example"
CODE, SECRET = "planted-authorization-code-8dK2", "planted-client-secret-5Yb1"
ECHO = f"code={CODE} client_secret={SECRET}; the code {CODE} of {SECRET} is wrong"


@pytest.fixture
def begun(settings, client_for, super_admin):
    """A client that began the consent, and its state."""
    settings.LEVER_AUTH_URL, settings.LEVER_CLIENT_SECRET = AUTH, SECRET
    client = client_for(super_admin)
    answer = client.post(reverse("lever-connect"))
    return client, parse_qs(urlsplit(answer["Location"]).query)["state"][0]


FORGED = "planted-forged-state-3Lq9"


@pytest.mark.parametrize(
    ("given", "status", "body"),
    [
        ({"code": CODE}, 200, {"error": ECHO}),
        ({"code": CODE}, 200, [ECHO]),
        ({"code": CODE}, 400, {"error": "invalid_grant", "error_description": ECHO}),
        ({"code": CODE}, 500, ECHO),
        ({"error": "server_error", "error_description": ECHO}, None, None),
        ({"code": CODE, "state": FORGED}, None, None),
    ],
)
def test_what_the_callback_is_given_and_lever_repeats_is_not_logged_or_shown(
    begun, wire, caplog, given, status, body
):
    client, state = begun
    caplog.set_level(logging.DEBUG)
    if status is not None:
        wire.post(f"{AUTH}/oauth/token", json=body, status=status)
    answer = client.get("/oauth/complete/lever/", {"state": state, **given}, follow=True)
    assert len(wire.calls) == (status is not None)
    kept = caplog.text + answer.content.decode() + str(answer.redirect_chain)
    for secret in (CODE, SECRET, state, FORGED):
        assert secret not in kept


def test_a_redirect_does_not_take_the_code_and_the_secret_elsewhere(begun, wire):
    client, state = begun
    elsewhere = "https://evil.example/token"
    wire.post(f"{AUTH}/oauth/token", status=307, headers={"Location": elsewhere})
    wire.post(elsewhere, json={"access_token": "of-somebody-else"})
    answer = client.get("/oauth/complete/lever/", {"code": CODE, "state": state}, follow=True)
    assert [call.request.url for call in wire.calls] == [f"{AUTH}/oauth/token"]
    assert "answered with an error" in answer.content.decode()


def test_the_environment_names_no_proxy_for_the_exchange(begun, monkeypatch):
    client, state = begun
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.evil.example:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/tmp/anybodys.pem")
    with mock.patch.object(
        requests.adapters.HTTPAdapter, "send", side_effect=requests.ConnectTimeout
    ) as send:
        client.get("/oauth/complete/lever/", {"code": CODE, "state": state})
    sent = send.call_args.kwargs
    assert (sent["verify"], dict(sent["proxies"])) == (True, {})
