"""Lever's OAuth: the scopes, and the claims of an access token."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.lever.oauth import claims


def token(body):
    part = base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()
    return f"header.{part}.signature"


def test_claims_are_the_user_and_the_account():
    body = {"https://oauth.lever.co/userId": "u", "https://oauth.lever.co/accountId": "a"}
    assert claims(token(body)) == ("u", "a")


@pytest.mark.parametrize(
    "text", ["", "opaque", "a.b", "a.b.c", "a.!!!.c", "a..c", token([]), token("x"), token(None), "ä.ä.ä"]
)
def test_claims_are_empty_when_the_token_has_none(text):
    assert claims(text) == ("", "")


@given(st.text())
def test_claims_of_any_text_raise_nothing(text):
    assert isinstance("".join(claims(text)), str)
    assert isinstance("".join(claims(f"a.{text}.c")), str)
