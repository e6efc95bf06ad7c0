"""Lever's OAuth: what is asked for, and what an access token hints at."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.lever.oauth import SCOPES, LeverOAuth2, claims


def token(body):
    part = base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()
    return f"header.{part}.signature"


def test_a_token_names_the_user_and_the_account():
    body = {"https://oauth.lever.co/userId": "u", "https://oauth.lever.co/accountId": "a"}
    assert claims(token(body)) == {"user_id": "u", "account_id": "a"}


@pytest.mark.parametrize(
    "text", ["", "opaque", "a.b", "a.b.c", "a.!!!.c", "a..c", token([]), token("x"), token(None), "ä.ä.ä"]
)
def test_a_token_that_says_nothing_is_fine(text):
    assert claims(text) == {"user_id": "", "account_id": ""}


@given(st.text())
def test_any_token_is_read(text):
    assert set(claims(text)) == {"user_id", "account_id"}
    assert set(claims(f"a.{text}.c")) == {"user_id", "account_id"}


def test_every_scope_has_a_reason():
    assert all(reason.strip() for reason in SCOPES.values())
    assert {"offline_access", "feedback:write:admin", "opportunities:write:admin"} <= set(SCOPES)


def test_nothing_is_kept_in_social_auths_own_table():
    assert LeverOAuth2.EXTRA_DATA == []
