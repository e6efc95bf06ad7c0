"""API keys of the pretend Lever: made on its page, used as the user name, refused where the real one would."""

import re

import requests

from tests.devtools.sandbox.callers import press


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


def test_an_account_exists_in_one_region_alone(lever):
    key = lever.platform.grants.make_key("acme", "Key", frozenset({"stages:read:admin"})).key
    assert (status(lever, key), status(lever, key, url=lever.eu_url)) == (200, 401)
    lever.accounts["acme"].settings.region = "eu"
    assert (status(lever, key), status(lever, key, url=lever.eu_url)) == (401, 200)
