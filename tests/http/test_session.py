"""One request to a platform: what its answer means, and what is recorded of it."""

import hashlib
import json
import socket
import ssl

import pytest
import requests
import urllib3

from integrations.http.connections import Upload
from integrations.http.redaction import redact
from integrations.http.session import KEPT_BODY_CHARACTERS, PlatformError, PlatformSession, kept_body

URL = "https://platform.example/v1"


@pytest.fixture
def session(calls):
    """A session that records its calls."""
    return PlatformSession("lever", URL + "/", after_call=calls.append)


def request_error(session, method="POST", **more):
    """Make a request that fails, and return its error."""
    with pytest.raises(PlatformError) as raised:
        session.request(method, "/things", **more)
    return raised.value


# what an answer means


@pytest.mark.parametrize(
    ("status", "permanent", "ambiguous"),
    [
        (301, True, False),
        (400, True, False),
        (401, True, False),
        (404, True, False),
        (408, False, False),
        (425, False, False),
        (429, False, False),
        (503, False, False),
        (500, False, True),
        (502, False, True),
        (599, False, True),
    ],
)
def test_an_error_is_classified_by_its_status(wire, session, status, permanent, ambiguous):
    wire.post(f"{URL}/things", status=status)
    wire.get(f"{URL}/things", status=status)
    error = request_error(session)
    assert (error.status, error.permanent, error.ambiguous) == (status, permanent, ambiguous)
    if status >= 400:  # a read follows redirects
        error = request_error(session, "GET")
        assert (error.permanent, error.ambiguous) == (permanent, False)


def connection_error(reason):
    """Return an error of urllib3 as requests wraps it."""
    pool = urllib3.HTTPSConnectionPool("platform.example")
    return requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/things", reason))


def tls_error(error):
    """Return a TLS error as requests wraps it."""
    pool = urllib3.HTTPSConnectionPool("platform.example")
    return requests.exceptions.SSLError(
        urllib3.exceptions.MaxRetryError(pool, "/things", urllib3.exceptions.SSLError(error))
    )


CONNECTION = urllib3.connection.HTTPConnection("platform.example")
#: Beside what tests/test_network.py and the sandbox do on the wire.
LOST = {
    "an encoding that lies": requests.exceptions.ContentDecodingError("not gzip"),
    "TLS that breaks": tls_error(ssl.SSLError(1, "bad record mac")),
    "TLS that ends": tls_error(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")),
    "TLS that breaks in the body": requests.exceptions.SSLError(
        urllib3.exceptions.SSLError(ssl.SSLError(1, "mac"))
    ),
    "anything else": requests.exceptions.RequestException("?"),
}
REFUSED_CERTIFICATE = ssl.SSLCertVerificationError(1, "certificate verify failed")
REFUSED_CERTIFICATE.verify_message = "certificate has expired"
NEVER_SENT = {
    "refused": connection_error(urllib3.exceptions.NewConnectionError(CONNECTION, "Connection refused")),
    "no such host": connection_error(
        urllib3.exceptions.NameResolutionError("platform.example", CONNECTION, socket.gaierror())
    ),
    "connect time-out": requests.exceptions.ConnectTimeout("timed out"),
    "a certificate that isn't theirs": tls_error(REFUSED_CERTIFICATE),
}


@pytest.mark.parametrize("name", [*LOST, *NEVER_SENT])
def test_a_write_is_ambiguous_when_it_may_have_arrived(wire, session, name):
    body, is_lost = (LOST | NEVER_SENT)[name], name in LOST
    wire.post(f"{URL}/things", body=body)
    error = request_error(session)
    assert (error.ambiguous, error.permanent, error.status) == (is_lost, False, None)
    assert not (is_lost and "could not be reached" in str(error))
    wire.get(f"{URL}/things", body=body)
    assert request_error(session, "GET").ambiguous is False


def test_a_refused_certificate_is_told_from_an_outage(wire, session):
    wire.get(f"{URL}/things", body=tls_error(REFUSED_CERTIFICATE))
    assert str(request_error(session, "GET")).endswith("'s certificate was refused: certificate has expired")


def test_a_success_that_is_not_json_is_ambiguous(wire, session):
    wire.post(f"{URL}/things", body="<html>Welcome</html>")
    error = request_error(session)
    assert (error.ambiguous, error.permanent, error.status) == (True, False, 200)


@pytest.mark.parametrize(
    ("body", "expected"), [("", None), ("null", None), ("[]", []), ('{"a": 1}', {"a": 1}), ("5", 5)]
)
def test_a_successful_answer_is_decoded(wire, session, body, expected):
    wire.post(f"{URL}/things", body=body, status=201)
    assert session.request("POST", "/things", payload={"a": 1}) == expected


def test_nul_and_lone_surrogates_in_an_answer_do_not_reach_the_database(wire, session):
    wire.get(f"{URL}/things", body='{"na\\u0000me": ["a\\u0000b", "\\ud800x"]}')
    answer = session.request("GET", "/things")
    assert "\x00" not in str(answer)
    json.dumps(answer, ensure_ascii=False).encode()


def test_an_answer_that_is_nested_too_deeply_is_refused(wire, session):
    wire.get(f"{URL}/things", body="[" * 100_000)
    assert request_error(session, "GET").status == 200


def test_an_answer_that_is_too_large_is_refused(wire, session, monkeypatch):
    monkeypatch.setattr("integrations.http.deadlines.MAX_BODY_BYTES", 1000)
    wire.post(f"{URL}/things", body="x" * 2000)
    assert request_error(session).ambiguous is True


def test_an_answer_that_takes_too_long_is_refused(wire, session, monkeypatch):
    monkeypatch.setattr("integrations.http.deadlines.TOTAL_SECONDS", -1.0)
    wire.get(f"{URL}/things", body="{}")
    assert "did not answer in time" in str(request_error(session, "GET"))


def test_a_retry_after_date_is_read_by_the_platforms_clock(wire, session):
    headers = {"Date": "Wed, 01 Jul 2026 10:00:00 GMT", "Retry-After": "Wed, 01 Jul 2026 10:01:30 GMT"}
    wire.post(f"{URL}/things", status=503, headers=headers)
    assert request_error(session).retry_after == 90.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("1e9", 21600.0),
        ("nan", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2999 07:28:00 GMT", 21600.0),
        ("Wed, 21 Oct 2999 07:28:00", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_parsed_and_bounded(wire, session, header, seconds):
    wire.post(f"{URL}/things", status=429, headers={} if header is None else {"Retry-After": header})
    assert request_error(session).retry_after == seconds


# what a person reads


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"code": "ResourceNotFound", "message": "stages x was not answer"},
            "Lever answered 400: ResourceNotFound – stages x was not answer",
        ),
        ({"error": {"code": "invalid_email", "message": "no"}}, "Lever answered 400: invalid_email – no"),
        (
            {"error": "invalid_grant", "error_description": "Unknown"},
            "Lever answered 400: invalid_grant – Unknown",
        ),
        ({"message": "alder@candidates.example is taken"}, "Lever answered 400: [redacted] is taken"),
        ({"message": {"deep": 1}}, "Lever answered 400"),
        (["x"], "Lever answered 400"),
        (None, "Lever answered 400"),
    ],
)
def test_an_error_message_quotes_the_platform(wire, session, body, message):
    wire.post(f"{URL}/things", status=400, json=body)
    assert str(request_error(session)) == message


# what is kept


def test_every_call_is_recorded_once(wire, session, calls):
    wire.get(f"{URL}/things", json={"id": 1})
    wire.post(f"{URL}/things", body=LOST["anything else"])
    session.request("GET", "/things", params=[("a", "b")])
    request_error(session, payload={"name": "Candidate Alder", "assessmentId": "x"})
    assert [(call.method, call.path, call.status, bool(call.error)) for call in calls] == [
        ("GET", "/things", 200, False),
        ("POST", "/things", None, True),
    ]
    assert json.loads(calls[1].request_body) == {"name": "[redacted]", "assessmentId": "x"}


def test_no_call_is_made_when_the_hook_before_it_raises(wire, calls):
    def refuse():
        raise PlatformError("not now")

    session = PlatformSession("lever", URL, before_call=refuse, after_call=calls.append)
    request_error(session)
    assert not wire.calls
    assert not calls


def test_a_file_is_recorded_by_its_type_size_and_digest(wire, session, calls):
    wire.post(f"{URL}/things", json={"name": "secret name"})
    content = b"personal" * 100_000
    session.request("POST", "/things", upload=Upload("personal.pdf", content, "application/pdf"))
    [call] = calls
    digest = hashlib.sha256(content).hexdigest()
    assert json.loads(call.request_body) == {
        "file": {"type": "application/pdf", "bytes": 800_000, "sha256": digest}
    }
    assert "personal" not in call.request_body


@pytest.mark.parametrize("row", [{"id": "x", "state": "a" * 300}, {"name": "x" * 900, "tags": ["a"] * 40}])
def test_of_a_long_list_the_same_is_kept_as_if_all_of_it_were_looked_at(row) -> None:
    rows = [row] * 500
    for body in (rows, {"data": rows, "next": "x"}):
        assert kept_body(body) == json.dumps(redact(body))[:KEPT_BODY_CHARACTERS]


def test_of_a_long_list_that_is_mostly_personal_the_number_of_the_others_is_kept() -> None:
    row = {"id": "x", "text": "a" * 1000}
    [*looked_at, others] = json.loads(kept_body({"data": [row] * 500}))["data"]
    assert looked_at == [redact(row)] * 20
    assert others == "[480 more]"
