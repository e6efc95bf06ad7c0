"""A Lever webhook is verified by its token and its time."""

from typing import Any

from integrations.lever.payloads import matching_token, sign


def test_the_matching_token_is_returned_and_an_empty_one_matches_nothing():
    body: dict[str, Any] = {"token": "t" * 48, "triggeredAt": 1782974004990}
    signed = body | {"signature": sign(body["token"], body["triggeredAt"], "second")}
    assert matching_token(signed, ["first", "second", "third"]) == "second"
    unsigned = body | {"signature": sign(body["token"], body["triggeredAt"], "")}
    assert matching_token(unsigned, ["", "first"]) is None


def test_the_signature_is_lower_case_hex_of_32_bytes():
    assert sign("a", 1, "b") == sign("a", 1, "b").lower()
    assert len(bytes.fromhex(sign("a", 1, "b"))) == 32
    assert sign("a1", 2, "b") == sign("a", 12, "b")  # the two are simply joined, as Lever documents
