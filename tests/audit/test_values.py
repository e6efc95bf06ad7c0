"""Whatever a row holds fits its hash when it is read back from the database, and it holds no secret."""

import json
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User

from integrations.audit.models.chain import Chained
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
    claimed = delivery.lease()
    assert claimed is not None
    claimed.decide(Delivery.VerdictCode.NO_EMAIL, text, assessment_written=text)
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
