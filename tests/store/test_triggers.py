"""Audit entries and verdicts are only ever added, and the database writes the time of a row's last change."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models.deletion import ProtectedError

from integrations.audit.models.entry import AuditEntry
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.store.triggers import UPDATED_AT, AppendOnlyError
from tests.support import factories
from tests.support.factories import recorded

pytestmark = pytest.mark.django_db


@pytest.fixture
def verdict() -> Verdict:
    return factories.VerdictFactory.create(
        delivery__verdict="",
        code="no_email",
        explanation="There is no address.",
        decided_at=factories.a_moment_ago(),
    )


@pytest.fixture
def entry(organization) -> AuditEntry:
    return AuditEntry.objects.create(
        organization=organization,
        actor_name="configure",
        action="replay",
        target="Delivery",
        changes={"verdict": ["no_email", "invite"]},
        reason="Asked for.",
    )


def execute(statement: str, *parameters: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def test_the_name_of_who_acted_is_emptied_with_the_text_of_an_entry_about_an_account(organization, entry):
    own = {
        "organization": organization,
        "actor_name": "ada",
        "action": "sign_in",
        "changes": {"from": [1, 2]},
    }
    account = AuditEntry.objects.create(**own, target_kind="account", target="ada", target_id=1)
    assert recorded().erase_text() == [account.position, entry.position]
    for row in (account, entry):
        row.refresh_from_db()
        assert (row.target, row.changes, row.reason, row.text_salt) == ("", {}, "", "")
        assert row.fits_hash()
    assert (account.actor_name, entry.actor_name) == ("", "configure")
    table = AuditEntry._meta.db_table
    with pytest.raises(DatabaseError):
        execute(f"UPDATE {table} SET actor_name = 'eve' WHERE id = %s", account.pk)
    with pytest.raises(DatabaseError):
        execute(f"UPDATE {table} SET actor_name = 'eve', target = '', reason = '', text_salt = ''")


@pytest.mark.parametrize("model", [AuditEntry, Verdict])
def test_the_orm_refuses_every_change_of_many_rows(model):
    rows = model.objects.all()
    for change in (
        lambda: rows.update(hash=""),
        rows.delete,
        lambda: rows.bulk_create([]),
        lambda: rows.bulk_update([], ["hash"]),
    ):
        with pytest.raises(AppendOnlyError, match="append-only"):
            change()


def test_the_orm_refuses_to_save_or_delete_a_stored_row(entry, verdict):
    for row in (entry, verdict):
        with pytest.raises(AppendOnlyError, match="append-only"):
            row.save()
        with pytest.raises(AppendOnlyError, match="append-only"):
            row.delete()
    with pytest.raises(AppendOnlyError):
        recorded().update_or_create(pk=entry.pk, defaults={"reason": "Another."})
    with pytest.raises(AppendOnlyError):
        entry.organization.audit_entries.all().delete()


def test_what_a_chain_is_about_cannot_be_deleted(verdict):
    for row in (verdict.delivery, verdict.organization):
        with pytest.raises(ProtectedError):
            row.delete()


def test_an_entry_keeps_its_persons_id_when_the_person_is_deleted(organization, super_admin):
    entry = AuditEntry.objects.create(
        organization=organization, actor=super_admin, actor_name="owner", action="replay", target="Delivery"
    )
    key = super_admin.pk
    super_admin.delete()
    entry = recorded().get(pk=entry.pk)
    assert entry.actor_id == key
    assert entry.fits_hash()


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (model._meta.model_name, field.column)
        for model in (AuditEntry, Verdict)
        for field in model._meta.local_concrete_fields
        if field.name != UPDATED_AT
    ],
)
def test_the_database_refuses_to_change_any_column(entry, verdict, kind, column):
    table, row = f"integrations_{kind}", entry if kind == "auditentry" else verdict
    value = "0" if column.endswith("id") or column == "position" else "'2001-01-01'"
    if column == "is_current":  # true to false is what a later verdict does
        execute(f"UPDATE {table} SET is_current = false WHERE id = %s", row.pk)
    value = {"changes": "'{\"a\": [1, 2]}'", "is_current": "true"}.get(column, value)
    with pytest.raises(DatabaseError, match="append-only"):
        execute(f"UPDATE {table} SET {column} = {value} WHERE id = %s", row.pk)


@pytest.mark.parametrize("table", ["auditentry", "verdict"])
def test_the_database_refuses_to_remove_rows(entry, verdict, table):
    with pytest.raises(DatabaseError, match="append-only"):
        execute(f"DELETE FROM integrations_{table}")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else TRUNCATE is refused for those that wait
        with pytest.raises(DatabaseError, match="append-only"):
            execute(f"TRUNCATE integrations_{table} CASCADE")
    else:
        with pytest.raises(DatabaseError):
            execute(f"INSERT OR REPLACE INTO integrations_{table} SELECT * FROM integrations_{table}")


def test_the_database_lets_text_be_erased_only_as_a_whole_and_once(entry):
    table = "integrations_auditentry"
    for part in ("reason = ''", "text_salt = ''", "target = '', changes = '{}', reason = ''"):
        with pytest.raises(DatabaseError, match="append-only"):
            execute(f"UPDATE {table} SET {part} WHERE id = %s", entry.pk)
    erasure = "target = '', changes = '{}', reason = '', text_salt = ''"
    with pytest.raises(DatabaseError, match="append-only"):
        execute(f"UPDATE {table} SET {erasure}, actor_name = 'nobody' WHERE id = %s", entry.pk)
    assert execute(f"UPDATE {table} SET {erasure} WHERE id = %s", entry.pk) == 1
    with pytest.raises(DatabaseError, match="append-only"):
        execute(f"UPDATE {table} SET reason = 'Back.' WHERE id = %s", entry.pk)
    entry = recorded().get(pk=entry.pk)
    assert entry.is_erased
    assert entry.fits_hash()
    assert not entry.fits_digest()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite builds tables anew")
@pytest.mark.django_db(transaction=True)
def test_the_triggers_are_still_there_when_a_migration_builds_the_table_anew(organization):
    before = _triggers()
    assert len(before) == 8
    with connection.schema_editor() as editor:
        editor._remake_table(Verdict)  # type: ignore[attr-defined]
    assert _triggers() == before


def _triggers() -> dict[str, list[str]]:
    """Return the triggers by name, each as its sorted words: the order of the columns may differ."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        return {name: sorted(statement.split()) for name, statement in cursor.fetchall()}


# the time of a row's last change


LATER = datetime(2099, 1, 1, tzinfo=UTC)


def test_a_row_saved_whole_never_goes_back_in_time(organization):
    """Also where it was changed in the same millisecond, or the clock was set back since."""
    candidate = factories.CandidateFactory.create(organization=organization)
    Candidate.objects.filter(pk=candidate.pk).update(updated_at=LATER)
    read = Candidate.objects.get(pk=candidate.pk)
    before = read.updated_at
    read.outcome = "Passed"
    read.updated_at = before + timedelta(milliseconds=1)
    read.save()
    changed = Candidate.objects.get(pk=candidate.pk)
    assert changed.outcome == "Passed"
    assert changed.updated_at >= before
