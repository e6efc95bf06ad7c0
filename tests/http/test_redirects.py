"""A platform's redirects are followed to its own hosts, with credentials, method and body; any other is an error."""

import json

import pytest

from integrations.http import redirects
from integrations.http.session import PlatformError, PlatformSession

URL = "https://api.lever.example"
EU = "https://api.eu.lever.example/v1/things"
HEADERS = {"Authorization": "Bearer token"}


@pytest.fixture
def session() -> PlatformSession:
    return PlatformSession("lever", URL)


@pytest.fixture(autouse=True)
def _hosts_are_public(monkeypatch) -> None:
    monkeypatch.setattr(redirects, "ips_of", lambda host, port: ["8.8.8.8"])


@pytest.mark.parametrize("location", [f"{URL}/v1/things", EU, "/v1/things"])
@pytest.mark.parametrize("status", [307, 308])
def test_a_write_is_made_again_where_the_platform_leads_within_its_domain(wire, session, location, status):
    wire.post(f"{URL}/things", status=status, headers={"Location": location})
    target = location if location.startswith("https") else f"{URL}{location}"
    wire.post(target, json={"id": "made"})
    assert session.request("POST", "/things", payload={"a": 1}, headers=HEADERS) == {"id": "made"}
    followed = wire.calls[1].request
    assert (followed.method, followed.headers["Authorization"], json.loads(followed.body)) == (
        "POST",
        "Bearer token",
        {"a": 1},
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_read_is_made_again_with_its_credentials(wire, session, status):
    wire.get(f"{URL}/things", status=status, headers={"Location": f"{EU}?offset=2"})
    wire.get(EU, json={"data": []})
    assert session.request("GET", "/things", params=[("offset", "1")], headers=HEADERS) == {"data": []}
    followed = wire.calls[1].request
    assert (followed.url, followed.headers["Authorization"]) == (f"{EU}?offset=2", "Bearer token")


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_write_that_is_answered_as_done_elsewhere_may_have_been_done(wire, session, status):
    wire.post(f"{URL}/things", status=status, headers={"Location": EU})
    with pytest.raises(PlatformError, match=EU) as refused:
        session.request("POST", "/things", payload={"a": 1}, headers=HEADERS)
    assert (refused.value.permanent, refused.value.ambiguous) == (False, True)
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/things",
        "https://notlever.example/things",
        "https://lever.example.evil.example/things",
        "http://api.lever.example/things",
        "http://api.eu.lever.example/things",
        "https://api.lever.example:8443/things",
        "https://api.eu.lever.example:8443/things",
        "https://me@api.eu.lever.example/things",
        "https://127.0.0.1/things",
        "https://[::1]/things",
        "ftp://api.lever.example/things",
        "https://evil.example\\things.lever.example/things",
        "https://things_x.lever.example/things",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_any_other_redirect_is_an_error_that_names_the_address(wire, session, location, method):
    wire.add(method, f"{URL}/things", status=307, headers={"Location": f"{location}?email=a@b.example"})
    with pytest.raises(PlatformError, match="things") as refused:
        session.request(method, "/things", headers=HEADERS)
    assert "email" not in str(refused.value)
    assert "me@" not in str(refused.value)
    assert refused.value.permanent
    assert len(wire.calls) == 1


@pytest.mark.parametrize("location", ["https://[", "https://[::1/", "https://:443/", "//[x]:y/"])
@pytest.mark.parametrize("status", [303, 307])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_cannot_be_read_is_an_error_of_the_platform(wire, session, method, status, location):
    wire.add(method, f"{URL}/things", status=status, headers={"Location": location})
    with pytest.raises(PlatformError, match="can't be read"):
        session.request(method, "/things", headers=HEADERS)
    assert len(wire.calls) == 1


def test_a_host_of_the_platform_that_leads_to_a_private_address_is_not_called(wire, session, monkeypatch):
    monkeypatch.setattr(redirects, "ips_of", lambda host, port: ["8.8.8.8", "10.0.0.7"])
    wire.get(f"{URL}/things", status=307, headers={"Location": EU})
    with pytest.raises(PlatformError, match=EU):
        session.request("GET", "/things", headers=HEADERS)
    assert len(wire.calls) == 1


def test_a_redirect_without_an_end_is_an_error(wire, session):
    wire.get(f"{URL}/things", status=307, headers={"Location": f"{URL}/things"})
    with pytest.raises(PlatformError, match="more than 3 times"):
        session.request("GET", "/things", headers=HEADERS)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("api.lever.co", "lever.co"),
        ("app.codescreen.com", "codescreen.com"),
        ("api.x.co.uk", "x.co.uk"),
        ("co.uk", ""),
        ("api.ibm.com", "api.ibm.com"),
        ("localhost", ""),
        ("127.0.0.1", ""),
        ("::1", ""),
    ],
)
def test_the_registered_domain_is_never_taken_too_wide(host, domain):
    assert redirects.registered_domain(host) == domain


@pytest.mark.parametrize(
    ("ip", "may"), [("8.8.8.8", True), ("168.63.129.16", False), ("::ffff:168.63.129.16", False)]
)
def test_a_cloud_s_own_service_is_not_called(ip, may):
    assert redirects.may_be_called(ip) is may
