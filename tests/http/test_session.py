"""One request to a platform: what its answer means, and what is kept of it."""

import json
import socket
import ssl
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
import requests
import responses
import urllib3

from integrations.http.errors import PlatformError
from integrations.http.session import PlatformSession

URL = "https://platform.example/v1"


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as found:
        yield found


@pytest.fixture
def calls():
    return []


@pytest.fixture
def session(calls):
    return PlatformSession("lever", URL + "/", after_call=calls.append)


def failure(session, method="POST", **more):
    with pytest.raises(PlatformError) as raised:
        session.request(method, "/things", **more)
    return raised.value


# what an answer means


@pytest.mark.parametrize(
    ("status", "permanent", "ambiguous"),
    [
        (301, True, False),
        (302, True, False),
        (400, True, False),
        (401, True, False),
        (403, True, False),
        (404, True, False),
        (405, True, False),
        (409, True, False),
        (410, True, False),
        (422, True, False),
        (408, False, False),
        (425, False, False),
        (429, False, False),
        (503, False, False),
        (500, False, True),
        (501, False, True),
        (502, False, True),
        (504, False, True),
        (520, False, True),
        (522, False, True),
        (524, False, True),
        (599, False, True),
    ],
)
def test_what_a_status_means(wire, session, status, permanent, ambiguous):
    wire.post(f"{URL}/things", status=status)
    wire.get(f"{URL}/things", status=status)
    error = failure(session)
    assert (error.status, error.permanent, error.ambiguous) == (status, permanent, ambiguous)
    if status >= 400:  # a read follows redirects
        error = failure(session, "GET")
        assert (error.permanent, error.ambiguous) == (permanent, False)


def wrapped(reason):
    """Return an exception as requests wraps what urllib3 gave up on."""
    pool = urllib3.HTTPSConnectionPool("platform.example")
    return requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/things", reason))


def tls(error):
    pool = urllib3.HTTPSConnectionPool("platform.example")
    return requests.exceptions.SSLError(
        urllib3.exceptions.MaxRetryError(pool, "/things", urllib3.exceptions.SSLError(error))
    )


CONNECTION = urllib3.connection.HTTPConnection("platform.example")
LOST = {
    "read time-out": requests.exceptions.ReadTimeout("read timed out"),
    "reset": requests.exceptions.ConnectionError(
        urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))
    ),
    "closed without an answer": requests.exceptions.ConnectionError(
        urllib3.exceptions.ProtocolError("Connection aborted.", urllib3.exceptions.HTTPError())
    ),
    "chunks that break off": requests.exceptions.ChunkedEncodingError("incomplete read"),
    "an encoding that lies": requests.exceptions.ContentDecodingError("not gzip"),
    "TLS that breaks": tls(ssl.SSLError(1, "bad record mac")),
    "TLS that ends": tls(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")),
    "TLS that breaks in the body": requests.exceptions.SSLError(
        urllib3.exceptions.SSLError(ssl.SSLError(1, "mac"))
    ),
    "anything else": requests.exceptions.RequestException("?"),
}
NEVER_SENT = {
    "refused": wrapped(urllib3.exceptions.NewConnectionError(CONNECTION, "Connection refused")),
    "no such host": wrapped(
        urllib3.exceptions.NameResolutionError("platform.example", CONNECTION, socket.gaierror())
    ),
    "connect time-out": requests.exceptions.ConnectTimeout("timed out"),
    "a certificate that isn't theirs": tls(ssl.SSLCertVerificationError(1, "hostname mismatch")),
}


@pytest.mark.parametrize("name", LOST)
def test_a_write_that_may_have_arrived_is_ambiguous(wire, session, name):
    wire.post(f"{URL}/things", body=LOST[name])
    error = failure(session)
    assert (error.ambiguous, error.permanent, error.status) == (True, False, None)
    wire.get(f"{URL}/things", body=LOST[name])
    assert failure(session, "GET").ambiguous is False


@pytest.mark.parametrize("name", NEVER_SENT)
def test_a_write_that_never_left_is_not_ambiguous(wire, session, name):
    wire.post(f"{URL}/things", body=NEVER_SENT[name])
    error = failure(session)
    assert (error.ambiguous, error.permanent, error.status) == (False, False, None)


def test_a_success_that_is_not_json_is_ambiguous(wire, session):
    wire.post(f"{URL}/things", body="<html>Welcome</html>")
    error = failure(session)
    assert (error.ambiguous, error.permanent, error.status) == (True, False, 200)


@pytest.mark.parametrize(
    ("body", "expected"), [("", None), ("null", None), ("[]", []), ('{"a": 1}', {"a": 1}), ("5", 5)]
)
def test_a_success_is_decoded(wire, session, body, expected):
    wire.post(f"{URL}/things", body=body, status=201)
    assert session.request("POST", "/things", payload={"a": 1}) == expected


def test_nul_and_lone_surrogates_in_an_answer_do_not_reach_the_database(wire, session):
    wire.get(f"{URL}/things", body='{"na\\u0000me": ["a\\u0000b", "\\ud800x"]}')
    found = session.request("GET", "/things")
    assert "\x00" not in str(found)
    json.dumps(found, ensure_ascii=False).encode()


def test_an_answer_that_is_nested_beyond_reason_is_no_json(wire, session):
    wire.get(f"{URL}/things", body="[" * 100_000)
    assert failure(session, "GET").status == 200


def test_an_answer_beyond_all_size_is_given_up(wire, session, monkeypatch):
    monkeypatch.setattr("integrations.http.deadlines.MAX_BODY_BYTES", 1000)
    wire.post(f"{URL}/things", body="x" * 2000)
    assert failure(session).ambiguous is True


def test_an_answer_that_trickles_is_given_up(wire, session, monkeypatch):
    monkeypatch.setattr("integrations.http.deadlines.TOTAL_SECONDS", -1.0)
    wire.get(f"{URL}/things", body="{}")
    assert "did not answer" in str(failure(session, "GET"))


def test_a_date_to_retry_after_is_reckoned_by_the_platforms_own_clock(wire, session):
    headers = {"Date": "Wed, 01 Jul 2026 10:00:00 GMT", "Retry-After": "Wed, 01 Jul 2026 10:01:30 GMT"}
    wire.post(f"{URL}/things", status=503, headers=headers)
    assert failure(session).retry_after == 90.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("2", 2.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("1e9", 21600.0),
        ("inf", 21600.0),
        ("nan", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2999 07:28:00 GMT", 21600.0),
        ("Wed, 21 Oct 2999 07:28:00", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after(wire, session, header, seconds):
    wire.post(f"{URL}/things", status=429, headers={} if header is None else {"Retry-After": header})
    assert failure(session).retry_after == seconds


def test_a_redirected_write_is_not_followed(wire, session):
    wire.post(f"{URL}/things", status=307, headers={"Location": f"{URL}/elsewhere"})
    wire.post(f"{URL}/elsewhere", json={})
    assert failure(session).status == 307
    assert len(wire.calls) == 1


# what a person reads


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"code": "ResourceNotFound", "message": "stages x was not found"},
            "lever answered 400: ResourceNotFound – stages x was not found",
        ),
        ({"error": {"code": "invalid_email", "message": "no"}}, "lever answered 400: invalid_email – no"),
        (
            {"error": "invalid_grant", "error_description": "Unknown"},
            "lever answered 400: invalid_grant – Unknown",
        ),
        ({"message": "alder@candidates.example is taken"}, "lever answered 400: [redacted] is taken"),
        ({"message": {"deep": 1}}, "lever answered 400"),
        (["x"], "lever answered 400"),
        (None, "lever answered 400"),
    ],
)
def test_an_error_says_what_the_platform_said(wire, session, body, words):
    wire.post(f"{URL}/things", status=400, json=body)
    assert str(failure(session)) == words


# what is kept


def test_every_call_is_observed_once(wire, session, calls):
    wire.get(f"{URL}/things", json={"id": 1})
    wire.post(f"{URL}/things", body=LOST["reset"])
    session.request("GET", "/things", params={"a": "b"})
    failure(session, payload={"name": "Candidate Alder", "assessmentId": "x"})
    assert [(call.method, call.path, call.status, bool(call.error)) for call in calls] == [
        ("GET", "/things", 200, False),
        ("POST", "/things", None, True),
    ]
    assert json.loads(calls[1].request_body) == {"name": "[redacted]", "assessmentId": "x"}


def test_pacing_comes_before_the_call(wire, calls):
    def refuse():
        raise PlatformError("not now")

    session = PlatformSession("lever", URL, before_call=refuse, after_call=calls.append)
    failure(session)
    assert not wire.calls
    assert not calls


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Date": "Wed, 03 Mar 2027 22:29:45 GMT"}, 30.0),
        ({"Date": "Wed, 03 Mar 2027 22:32:15 GMT"}, -120.0),
        ({}, None),
        ({"Date": "yesterday"}, None),
        ({"Date": "Wed, 03 Mar 2027 22:30:15 -0000"}, None),
        ({"Date": "Wed, 03 Mar 2027 22:29:45 GMT", "Age": "600"}, None),
    ],
)
def test_the_other_clock_is_read_from_an_answers_date(wire, session, calls, headers, expected):
    wire.get(f"{URL}/things", json={}, headers=headers)
    with patch(
        "django.utils.timezone.now", return_value=datetime(2027, 3, 3, 22, 30, 15, 500_000, tzinfo=UTC)
    ):
        session.request("GET", "/things")
    assert calls[0].clock_ahead == expected
