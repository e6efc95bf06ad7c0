"""Whatever a row holds fits its hash when it is read back, in the form that is documented; it holds no secret."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from integrations.audit.models.chain import NO_HASH, Chained, Json, canonical, text_digest
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from tests.audit.conftest import is_whole
from tests.support import factories
from tests.support.factories import recorded

pytestmark = pytest.mark.django_db

TEXTS = [
    "",
    "é ü ß",
    "e\u0301 is not é",
    "🦊",
    "a\nb\r\n\tc",
    '"quoted" \\',
    "\u2028\u2029\ufeff\u200f",
    "x" * 100_000,
    " ",
]
VALUES = [
    1.5,
    0.1,
    1e22,
    -0.0,
    1e300,
    float("nan"),
    float("inf"),
    10**30,
    -7,
    True,
    None,
    [],
    {},
    [1, [2, {"ö": "🦊", "a": None}]],
    {"b": 1, "a": {"z": [], "y": ""}},
    "12",
]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_any_value_in_changes_fits(organization, value):
    target = AuditTarget(TargetKind.ORGANIZATION, organization.pk, "Acme")
    audit(
        target, "configure", AuditAction.CHANGE_POLICIES, {"value": (None, value)}, organization=organization
    )
    assert is_whole(organization)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:10]))
def test_any_text_fits(organization, super_admin, text):
    target = AuditTarget(TargetKind.MEMBER, 2**62, text)
    audit(target, super_admin, AuditAction.REPLAY, {text: (text, text)}, text, organization=organization)
    delivery = factories.DeliveryFactory.create(organization=organization)
    factories.decide(delivery, Delivery.VerdictCode.NO_EMAIL, text, assessment_written=text)
    assert is_whole(organization)


def test_entries_of_the_whole_portal_have_a_chain_of_their_own(organization):
    target = AuditTarget(TargetKind.ORGANIZATION, organization.pk, "Acme")
    for scope in (None, organization, None):
        audit(target, "configure", AuditAction.CREATE_ORGANIZATION, organization=scope)
    positions = AuditEntry.objects.order_by("pk").values_list("organization_id", "position")
    assert list(positions) == [(organization.pk, 1), (None, 1), (None, 2), (organization.pk, 2), (None, 3)]
    assert is_whole(None)
    assert is_whole(organization)


def test_the_time_is_the_databases_unless_it_is_given(organization):
    at = datetime(2027, 1, 31, 8, 0, 0, 123456, tzinfo=UTC)
    given = AuditEntry.objects.create(organization=organization, actor_name="a", action="replay", at=at)
    now = AuditEntry.objects.create(organization=organization, actor_name="a", action="replay")
    assert given.hashed_row()["at"] == "2027-01-31T08:00:00.123456+00:00"
    assert abs((datetime.now(UTC) - now.at).total_seconds()) < 60
    assert is_whole(organization)


@pytest.mark.parametrize("kind", [AuditEntry, Verdict])
def test_every_column_is_hashed_but_for_those_that_the_documentation_names(kind: type[Chained]):
    columns = {field.attname for field in kind._meta.local_concrete_fields}
    chain = {"position", "previous_hash", "hash", "text_salt", "text_digest"}
    not_hashed = {"id", "is_current", "updated_at"} & columns
    assert columns == {*kind.HASHED_COLUMNS, *kind.TEXT_COLUMNS, *chain, *not_hashed}


def test_a_persons_name_is_kept_as_they_had_it(organization):
    person = User.objects.create_user("ö" * 100)
    target = AuditTarget(TargetKind.ORGANIZATION, organization.pk, "x" * 1000)
    audit(target, person, AuditAction.REPLAY, organization=organization)
    person.username = "renamed"
    person.save()
    assert is_whole(organization)


def test_secrets_are_masked_by_field_name_at_every_depth(organization):
    audit(
        AuditTarget(TargetKind.LEVER_CONNECTION, 1, "x"),
        "test",
        AuditAction.SAVE_CONNECTION,
        {
            "lever_signature_token": ("", "SECRET"),
            "webhook_secret": ("SECRET", ""),
            "password": ("SECRET", "SECRET"),
            "connection": ({"api_key": ""}, {"api_key": "SECRET", "state": "connected"}),
            "refresh_token": ("SECRET", "SECRET"),
            "stage": ("", "kept"),
        },
        organization=organization,
    )
    entry = recorded().get()
    assert "SECRET" not in json.dumps(entry.changes)
    assert entry.changes["lever_signature_token"] == ["empty", "set"]
    assert entry.changes["webhook_secret"] == ["set", "empty"]
    assert entry.changes["password"] == entry.changes["refresh_token"] == ["set", "set"]
    assert entry.changes["connection"] == [{"api_key": "empty"}, {"api_key": "set", "state": "connected"}]
    assert entry.changes["stage"] == ["", "kept"]


# the canonical form, by values that were computed once and stand in the documentation


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
