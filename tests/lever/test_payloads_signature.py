"""A Lever webhook is verified by its token and its time."""

from typing import Any

import pytest

from integrations.lever.payloads import matching_token, sign

BODY: dict[str, Any] = {"token": "t" * 48, "triggeredAt": 1782974004990}


def test_the_matching_token_is_returned():
    body = BODY | {"signature": sign(BODY["token"], BODY["triggeredAt"], "second")}
    assert matching_token(body, ["first", "second", "third"]) == "second"
    assert matching_token(body, ["first"]) is None
    assert matching_token(body, []) is None


def test_an_empty_token_matches_nothing():
    body = BODY | {"signature": sign(BODY["token"], BODY["triggeredAt"], "")}
    assert matching_token(body, ["", "first"]) is None


@pytest.mark.parametrize("name", ["token", "triggeredAt", "signature"])
@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, "x"])
def test_a_value_of_another_type_matches_nothing(name, value):
    body = BODY | {"signature": sign(BODY["token"], BODY["triggeredAt"], "first")} | {name: value}
    assert matching_token(body, ["first"]) is None


def test_the_signature_is_lower_case_hex_of_32_bytes():
    assert sign("a", 1, "b") == sign("a", 1, "b").lower()
    assert len(bytes.fromhex(sign("a", 1, "b"))) == 32
    assert sign("a1", 2, "b") == sign("a", 12, "b")  # the two are simply joined, as Lever documents
