"""Redaction removes personal data and secrets, and keeps the shape of the JSON around them."""

from typing import Any

import pytest

from integrations.http.redaction import redact

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
