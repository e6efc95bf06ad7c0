"""Grants and API keys of the pretend Lever, given by consent or made on its page, and refused as the real one does."""

import base64
import json
import re
from datetime import timedelta

import requests
import time_machine
from django.utils import timezone

from portal.devtools.sandbox.lever.server import LeverSandbox
from tests.devtools.sandbox.callers import REDIRECT_URI, LeverCaller, landed, press
from tests.devtools.sandbox.conftest import SUPER_ADMIN


def test_accepting_gives_a_code_and_the_code_gives_tokens(lever: LeverSandbox):
    caller = LeverCaller(lever)
    back = caller.answer()
    assert back["state"] == "some-state"
    answer = caller.exchange(back["code"]).json()
    assert set(answer) == {"access_token", "refresh_token", "token_type", "scope", "expires_in"}
    claims = json.loads(base64.urlsafe_b64decode(answer["access_token"].split(".")[1] + "=="))
    assert claims["https://oauth.lever.co/userId"] == SUPER_ADMIN
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 3600
    again = caller.exchange(back["code"])
    assert (again.status_code, again.json()["error"]) == (403, "invalid_grant")


def test_denying_leads_back_with_an_error(lever: LeverSandbox):
    assert LeverCaller(lever).answer(decision="deny")["error"] == "access_denied"


def test_a_wrong_parameter_is_refused(lever: LeverSandbox):
    caller = LeverCaller(lever)

    def ask(**changes: str) -> requests.Response:
        query = caller.authorize_query(**changes)
        return requests.get(f"{lever.url}/authorize", params=query, allow_redirects=False, timeout=30)

    assert ask(client_id="nobody").status_code == 400
    assert ask(redirect_uri=REDIRECT_URI + "x").status_code == 403
    assert ask(state="").status_code == 400
    assert landed(ask(audience=f"{lever.url}/v1"))["error"] == "access_denied"


def test_consent_is_skipped_when_a_grant_covers_it(lever: LeverSandbox):
    caller = LeverCaller(lever).connect()
    url = f"{lever.url}/authorize"
    again = caller.http.get(url, params=caller.authorize_query(), allow_redirects=False)
    assert "code" in landed(again)
    wider = caller.authorize_query(scope=caller.authorize_query()["scope"] + " roles:read:admin")
    assert caller.http.get(url, params=wider).status_code == 200


def test_the_old_refresh_token_is_invalid_after_a_refresh(lever: LeverSandbox):
    caller = LeverCaller(lever).connect()
    assert caller.refresh().json()["refresh_token"] != caller.tokens["refresh_token"]
    reused = caller.refresh()
    assert (reused.status_code, reused.json()["error"]) == (403, "invalid_grant")
    assert caller.get("/stages").status_code == 200


def test_without_offline_access_there_is_no_refresh_token(lever: LeverSandbox):
    assert "refresh_token" not in LeverCaller(lever).connect("stages:read:admin").tokens


def test_a_bad_secret_is_401(lever: LeverSandbox):
    caller = LeverCaller(lever)
    assert caller.token(grant_type="refresh_token", client_secret="wrong").status_code == 401


def test_both_tokens_are_invalid_after_revoking(lever: LeverSandbox):
    caller = LeverCaller(lever).connect()
    page = f"{lever.url}/acme/settings/apps"
    assert "Revoke access" in requests.get(page, timeout=30).text
    pressed = press(lever, "revoke", here="/acme/settings/apps", what="app", done="Access revoked.")
    assert "Access revoked." in pressed
    assert caller.get("/stages").status_code == 401
    refresh = caller.refresh()
    assert (refresh.status_code, refresh.json()["error"]) == (403, "invalid_grant")


def test_an_access_token_expires(lever: LeverSandbox):
    caller = LeverCaller(lever).connect()
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
        assert caller.get("/stages").status_code == 401
        caller.tokens = caller.refresh().json()
        assert caller.get("/stages").status_code == 200


# API keys: made on the page, used as the user name


def status(lever, key, path="stages", url="", password=""):
    return requests.get(f"{url or lever.url}/v1/{path}", auth=(key, password), timeout=30).status_code


def test_a_key_allows_the_boxes_that_were_ticked_until_it_is_revoked(lever):
    page = f"{lever.url}/acme/settings/apps"
    assert "There is no API key." in requests.get(page, timeout=30).text
    made = press(lever, "key", here="/acme/settings/apps", scopes="stages:read:admin", done="Made: {api_key}")
    [key] = re.findall(r"Made: (\w+)<", made)
    assert (status(lever, key), status(lever, key, "users")) == (200, 403)
    assert status(lever, key, password="x") == status(lever, "wrong") == 401
    listed = requests.get(page, timeout=30).text
    assert key not in listed
    [key_id] = re.findall(r'name="what" value="([^"]+)"', listed)
    press(lever, "revoke", what=key_id)
    assert status(lever, key) == 401
