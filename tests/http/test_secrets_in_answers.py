"""Platforms that repeat credentials in their answers: nothing of it reaches errors, records of calls or logs."""

import base64
import json
import logging
import traceback
from urllib.parse import quote

import pytest

from integrations.codescreen.client import CodeScreenClient
from integrations.http.session import PlatformError, PlatformSession
from integrations.lever import oauth
from tests.http.test_redaction import spelled

URL = "https://platform.example/v1"
TOKEN = "planted-access-token-4f9Kd82LmQ"
FORM = {
    "grant_type": "refresh_token",
    "client_id": "the-client-id",
    "client_secret": "planted-client-secret-7Hs0",
    "refresh_token": "planted-refresh-token-Zx81",
    "code": "planted-code-55fGh1kLm",
}
SECRETS = [TOKEN, FORM["client_secret"], FORM["refresh_token"], FORM["code"]]


@pytest.fixture
def session(calls):
    """A session that records its calls."""
    return PlatformSession("lever", URL, after_call=calls.append)


def everything_kept(error: BaseException, calls, caplog) -> str:
    """Return all that is kept or shown of a failed call."""
    shown = traceback.format_exception(error)
    body = error.body if isinstance(error, PlatformError) else ""
    return "\n".join([*shown, repr(body), *map(repr, calls), caplog.text])


def assert_clean(kept: str) -> None:
    for secret in SECRETS:
        encodings = [
            secret,
            quote(secret, safe=""),
            base64.b64encode(secret.encode()).decode().rstrip("=")[:-1],
        ]
        for encoded in [*encodings, secret.encode().hex(), secret.upper()]:
            assert encoded not in kept


def repeating(text: str) -> str:
    """Return JSON that repeats a text wherever an error may have one."""
    return json.dumps({"code": text, "message": text, "error": {"message": text, "details": [{text: text}]}})


BODIES = {
    "as it is": repeating(TOKEN),
    "in base64 with its header": repeating(spelled(TOKEN)["in base64 with its header"]),
    "in a page": f"<html>Authorization: Bearer {TOKEN}</html>",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_an_error_that_repeats_the_token_is_kept_without_it(wire, session, calls, caplog, body):
    caplog.set_level(logging.DEBUG)
    wire.get(f"{URL}/things", body=body, status=401)
    with pytest.raises(PlatformError) as raised:
        session.request("GET", "/things", headers={"Authorization": f"Bearer {TOKEN}"})
    assert_clean(everything_kept(raised.value, calls, caplog))


def test_a_success_that_repeats_the_token_is_recorded_without_it(wire, session, calls):
    wire.get(f"{URL}/things", json={"request": {"headers": [f"Bearer {TOKEN}"]}, "id": "1"})
    answer = session.request("GET", "/things", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer == {"request": {"headers": [f"Bearer {TOKEN}"]}, "id": "1"}
    assert TOKEN not in repr(calls)
    assert '"id": "1"' in calls[0].response_body


def test_a_token_endpoint_that_repeats_the_form_is_kept_without_it(wire, session, calls, caplog):
    echo = "&".join(f"{name}={value}" for name, value in FORM.items())
    body = {
        "error": "invalid_grant",
        "error_description": f"bad request: {echo}",
        "form": FORM,
        "raw": json.dumps(FORM),
    }
    wire.post(f"{URL}/oauth/token", json=body, status=400)
    with pytest.raises(PlatformError) as raised:
        session.request("POST", "/oauth/token", form=FORM)
    kept = everything_kept(raised.value, calls, caplog)
    assert_clean(kept)
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["error"] == "invalid_grant"
    assert "invalid_grant" in str(raised.value)


def test_no_token_of_a_token_answer_is_recorded_under_whichever_name(wire, session, calls, settings):
    tokens = {
        "access_token": TOKEN,
        "refresh_token": "planted-refresh-token-Zx81",
        "id": TOKEN,
        "session": {"jwt": TOKEN, "list": [TOKEN]},
        "token_type": "Bearer",
        "expires_in": 3600,
    }
    wire.post(f"{URL}/oauth/token", json=tokens)
    assert oauth.refresh(session, "planted-refresh-token-before")["access_token"] == TOKEN
    assert_clean(repr(calls))
    assert "3600" in calls[0].response_body


def test_an_api_key_with_a_line_break_is_not_shown_by_the_error(session, calls, caplog):
    """requests names the whole header in its own error."""
    client = CodeScreenClient(session, f"{TOKEN}\nX-Injected: 1")
    with pytest.raises(PlatformError) as raised:
        client.assessments()
    kept = everything_kept(raised.value, calls, caplog)
    assert "InvalidHeader" in kept
    assert_clean(kept)


def test_a_huge_error_is_dropped_whole(wire, session, calls):
    wire.get(f"{URL}/things", json={"message": "x" * 200_000 + TOKEN}, status=500)
    with pytest.raises(PlatformError) as raised:
        session.request("GET", "/things", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (raised.value.status, raised.value.body) == (500, None)
