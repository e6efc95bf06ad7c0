"""Personal data is removed from JSON, and what a request had to keep secret from any answer."""

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.http.redaction import LONGEST_TEXT, MASKED, SecretMask, redact, secrets_of_headers

SENSITIVE = [
    "email", "emails", "candidateEmail", "firstName", "last_name", "name", "phone", "phones", "headline", "location",
    "links", "text", "value", "company", "token", "access_token", "refreshToken", "client_secret", "password",
    "signature", "api_key", "apiKey", "Authorization", "code",
]  # fmt: skip


@pytest.mark.parametrize("key", SENSITIVE)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_personal_data_and_secrets_are_not_kept(key, depth):
    value: Any = "Alder"
    for _ in range(depth):
        value = [value]
    kept = redact({"data": [{key: value}]})
    assert "Alder" not in str(kept)


def test_an_object_under_a_personal_key_keeps_only_its_shape():
    kept = redact({"phones": [{"type": "mobile", "value": "555"}]})
    assert kept == {"phones": [{"type": "mobile", "value": "[redacted]"}]}


@pytest.mark.parametrize("value", [True, 1, "yes", ["yes"]])
def test_nothing_of_a_candidates_answers_is_kept(value):
    kept = redact(
        {"customQuestions": [{"type": "posting", "fields": [{"text": "More time?", "value": value}]}]}
    )
    assert kept == {"customQuestions": "[redacted]"}
    assert redact({"customQuestions": []}) == {"customQuestions": []}


# what a request had to keep secret, however the platform repeats it


KEY = "sk-Live_9fQz7+Bx/2mN=pLk4Tt8Wv0"


def spelled(secret: str) -> dict[str, str]:
    """Return how a platform may repeat a secret."""
    raw = secret.encode()
    return {
        "as it is": secret,
        "in a sentence": f"The key '{secret}', is not valid.",
        "in capitals": secret.upper(),
        "in JSON in a text": json.dumps({"authorization": f"apiKey {secret}"}),
        "in an address": f"https://platform.example/?key={quote(secret, safe='')}&x=1",
        "every character quoted": "".join(f"%{byte:02X}" for byte in raw),
        "every character escaped": "".join(f"\\u{ord(character):04X}" for character in secret),
        "in hexadecimals": raw.hex(),
        "in base64": base64.b64encode(raw).decode(),
        "in base64 for addresses": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "in base64 with its header": base64.b64encode(
            f"Authorization: apiKey {secret}\r\n".encode()
        ).decode(),
        "in base64 after one more byte": base64.b64encode(b"x" + raw + b"yz").decode(),
        "the beginning": secret[:14] + "…",
        "the end": "…" + secret[-14:],
        "in two parts": f"{secret[:16]} and {secret[16:]}",
        "in a name": f"error_{secret}",
    }


def longest_run_left(masked: str, original: str, secret: str) -> str:
    """Return the longest run of the secret's spelling that is left."""
    left = masked.replace(MASKED, "\n").split("\n")
    runs = (
        part[start : start + length]
        for part in left
        for start in range(len(part))
        for length in range(10, len(part) - start + 1)
    )
    return max((run for run in runs if run.lower() in secret.lower()), key=len, default="")


@pytest.mark.parametrize("how", spelled(KEY))
def test_a_secret_is_removed_however_it_is_written(how):
    text = spelled(KEY)[how]
    masked = SecretMask([KEY]).mask(text)
    assert MASKED in masked
    assert longest_run_left(masked, text, KEY) == ""
    assert SecretMask([KEY]).finds_secret(text)
    for decode in (base64.b64decode, base64.urlsafe_b64decode, bytes.fromhex):
        for part in masked.split(MASKED):
            try:
                readable = decode(
                    part.strip() + "=" * (-len(part.strip()) % 4) if decode != bytes.fromhex else part
                )
            except ValueError:
                continue
            assert not any(KEY.encode()[at : at + 10] in readable for at in range(len(KEY) - 9))


def test_the_rest_of_a_text_stays():
    masked = SecretMask([KEY]).mask(f"400: the key {KEY} may not do this; ask support.")
    assert masked == f"400: the key {MASKED} may not do this; ask support."


def test_a_short_secret_is_removed_as_a_whole():
    assert SecretMask(["pin42"]).mask("the pin42 is wrong") == f"the {MASKED} is wrong"


def test_nothing_is_changed_without_secrets():
    assert SecretMask([]).mask(KEY) == KEY
    assert SecretMask([""]).mask(KEY) == KEY


def test_basic_authentication_is_masked_with_what_is_encoded_in_it():
    credentials = base64.b64encode(b"client-1:the-client-secret").decode()
    secrets = set(secrets_of_headers({"authorization": f"Basic {credentials}"}))
    assert secrets == {credentials, "client-1", "the-client-secret"}
    assert list(secrets_of_headers({"Authorization": "Basic not-base64!"})) == ["not-base64!"]
    assert list(secrets_of_headers({"Accept": "application/json"})) == []


def test_a_very_long_text_is_cut_and_takes_no_long_time():
    started = time.process_time()
    masked = SecretMask(["j" * 3000, KEY]).mask("x" * 1_000_000)
    assert len(masked) == LONGEST_TEXT
    assert time.process_time() - started < 2


@given(
    st.text(st.characters(codec="utf-8"), min_size=12, max_size=60),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
@settings(max_examples=200, deadline=None)
def test_no_secret_is_left_whatever_it_consists_of(secret, around):
    mask = SecretMask([secret])
    assert secret not in mask.mask(f"{around}{secret}{around}").replace(MASKED, "")
    encoded = base64.b64encode(f"{around}{secret}{around}".encode()).decode()
    assert mask.may_be_in(base64.b64encode(secret.encode()).decode())
    assert mask.mask(encoded) != encoded
