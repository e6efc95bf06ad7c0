"""The canonical form, by values that were computed once and stand in the documentation."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from integrations.audit.models.chain import NO_HASH, Json, canonical, text_digest
from integrations.audit.models.entry import AuditEntry

DOCUMENTATION = Path(settings.BASE_DIR) / "portal/docs/operating/audit-chain.md"

SALT = "000102030405060708090a0b0c0d0e0f"
TEXT: dict[str, Json] = {"target": "Åcme", "changes": {"paused": [False, True]}, "reason": ""}
TEXT_BYTES = '{"changes":{"paused":[false,true]},"reason":"","target":"Åcme"}'
LINK_BYTES = (
    '{"chain":7,"kind":"auditentry","position":1,'
    f'"previous":"{NO_HASH}",'
    '"row":{"action":"change_policies","actor_id":null,"actor_name":"configure",'
    '"at":"2027-01-31T08:00:00.000000+00:00","organization_id":7,"target_id":7,"target_kind":"organization"},'
    '"text":"%s"}'
)


def test_the_digest_is_over_the_salt_and_the_canonical_text():
    assert canonical(TEXT) == TEXT_BYTES.encode()
    expected = hashlib.sha256(bytes(range(16)) + TEXT_BYTES.encode()).hexdigest()
    assert text_digest(SALT, TEXT) == expected


def test_the_hash_is_over_the_canonical_link():
    digest = text_digest(SALT, TEXT)
    entry = AuditEntry(
        organization_id=7,
        position=1,
        previous_hash=NO_HASH,
        actor_name="configure",
        action="change_policies",
        target_kind="organization",
        target_id=7,
        at=datetime(2027, 1, 31, 8, tzinfo=UTC),
        text_digest=digest,
    )
    assert entry.recomputed_hash() == hashlib.sha256((LINK_BYTES % digest).encode()).hexdigest()


def test_the_documentation_has_the_same_example():
    text = DOCUMENTATION.read_text()
    digest = text_digest(SALT, TEXT)
    link = LINK_BYTES % digest
    for part in (SALT, TEXT_BYTES, digest, link, hashlib.sha256(link.encode()).hexdigest()):
        assert part in text


def test_other_characters_than_json_needs_escaped_are_written_as_they_are():
    assert (
        canonical({"b": '\x00\n"\\/é🦊\u2028', "a": 1})
        == '{"a":1,"b":"\\u0000\\n\\"\\\\/é🦊\u2028"}'.encode()
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_lacks_is_refused(value):
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": value})
