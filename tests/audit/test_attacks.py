"""Somebody with the database's password lifts the triggers and changes the log: each change is named."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction

from integrations.audit.models.chain import Chained
from integrations.audit.models.chain_head import ChainHead, link_hash
from integrations.audit.models.entry import AuditEntry
from integrations.audit.verification import HeadToCompare
from integrations.inbox.models.verdict import Verdict
from tests.support.append_only import lifted, overwrite

pytestmark = pytest.mark.django_db

#: A copy of an entry at another position, by somebody else.
INSERT_COPY = """
INSERT INTO integrations_auditentry (
    actor_name, position,
    organization_id, action, target_kind, target, changes, reason, at, previous_hash, hash, text_salt, text_digest
)
SELECT
    'nobody', %s,
    organization_id, action, target_kind, target, changes, reason, at, previous_hash, hash, text_salt, text_digest
FROM integrations_auditentry WHERE id = %s
"""


def execute(statement: str, *parameters: int) -> None:
    """Run a statement as the attacker does."""
    with lifted(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def rows_like(row: Chained) -> models.QuerySet[Chained]:
    return type(row)._default_manager.filter(pk=row.pk)


def give_own_hash(row: Chained) -> None:
    """Compute the row's digest and hash anew, as the portal would have."""
    row.refresh_from_db()
    row.text_digest = row.recomputed_digest()
    overwrite(rows_like(row), text_digest=row.text_digest, hash=row.recomputed_hash())


def name(code: str, row: Chained) -> tuple[str, str, int | None, int]:
    return (code, row.KIND.value, row.pk, row.position)


def test_an_untouched_chain_is_whole(chain):
    assert chain.named() == []


def test_one_entry_and_one_verdict_changed_one_removed_and_one_inserted_are_all_named(chain):
    entry, verdict, removed, copied = chain.row(3), chain.row(4), chain.row(6), chain.row(8)
    execute("UPDATE integrations_auditentry SET reason = 'Never agreed.' WHERE id = %s", entry.pk)
    execute("UPDATE integrations_verdict SET code = 'invite' WHERE id = %s", verdict.pk)
    execute("DELETE FROM integrations_verdict WHERE id = %s", removed.pk)
    execute(INSERT_COPY, copied.position, entry.pk)
    added = AuditEntry.objects.get(actor_name="nobody")
    assert chain.named() == [
        name("text_changed", entry),
        name("columns_changed", verdict),
        ("removed", "", None, 6),
        name("added", added),
    ]


@pytest.mark.parametrize("position", [1, 2, 5, 6, 9, 10])
def test_a_row_that_was_rewritten_with_a_hash_of_its_own_is_the_only_one_named(chain, position):
    row = chain.row(position)
    column = "reason" if isinstance(row, AuditEntry) else "explanation"
    overwrite(rows_like(row), **{column: "Something else."})
    give_own_hash(row)
    others = {"head_changed", "announced_head_differs"}  # the portal's own log knows the first row, too
    rewritten = [fault for fault in chain.named() if fault[0] not in others]
    assert rewritten == [name("rewritten", row)]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (AuditEntry, {"actor_name": "somebody else"}),
        (AuditEntry, {"actor_id": 4711}),
        (AuditEntry, {"action": "approve"}),
        (AuditEntry, {"target_kind": "invitation"}),
        (AuditEntry, {"target_id": None}),
        (AuditEntry, {"target": "Acme"}),
        (AuditEntry, {"changes": {}}),
        (AuditEntry, {"changes": {"stage_prefix": ["before 1", "after 1"], "bulk_limit": [50, 8]}}),
        (AuditEntry, {"text_salt": "00" * 16}),
        (AuditEntry, {"text_salt": "no hexadecimal number"}),
        (AuditEntry, {"text_digest": "0" * 64}),
        (AuditEntry, {"hash": "0" * 64}),
        (AuditEntry, {"previous_hash": "0" * 64}),
        (Verdict, {"cause": "replay"}),
        (Verdict, {"assessment_written": "Backend"}),
        (Verdict, {"assessment_source": "tag"}),
        (Verdict, {"hash": ""}),
    ],
)
def test_a_change_of_any_column_is_named_and_no_other_row_is(chain, kind, changes):
    row = (chain.entries() if kind is AuditEntry else chain.verdicts())[2]
    overwrite(rows_like(row), **changes)
    assert {fault[1:] for fault in chain.named()} == {(row.KIND.value, row.pk, row.position)}


def test_a_backdated_row_is_named(chain):
    row = chain.row(9)
    overwrite(rows_like(row), at=row.at - timedelta(days=30))
    assert chain.named() == [name("columns_changed", row)]


def test_two_rows_that_changed_places_are_both_named(chain):
    first, second = chain.row(3), chain.row(7)
    overwrite(rows_like(first), position=99)
    overwrite(rows_like(second), position=3)
    overwrite(rows_like(first), position=7)
    named = chain.named()
    assert {(code, key) for code, _, key, _ in named} == {
        ("columns_changed", first.pk),
        ("columns_changed", second.pk),
    }


def test_a_row_that_replaces_another_is_named_when_it_fits_its_own_hash_alone(chain):
    row = chain.row(5)
    overwrite(rows_like(row), reason="Replaced.", previous_hash="ab" * 32)
    give_own_hash(row)
    assert chain.named() == [name("rewritten", row)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite replaces rows past the triggers")
def test_a_row_that_another_client_replaces_past_the_triggers_is_named(chain):
    entry = chain.row(3)
    columns = [str(field.column) for field in AuditEntry._meta.local_concrete_fields]
    values = ["'Never agreed.'" if column == "reason" else column for column in columns]
    replace = (
        f"INSERT OR REPLACE INTO integrations_auditentry ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM integrations_auditentry WHERE id = %s"
    )
    with connection.cursor() as cursor:
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(replace, [entry.pk])
        cursor.execute("PRAGMA recursive_triggers = OFF")  # as in every other client, where it isn't set
        try:
            cursor.execute(replace, [entry.pk])
        finally:
            cursor.execute("PRAGMA recursive_triggers = ON")
    assert chain.named() == [name("text_changed", entry)]


@pytest.mark.parametrize("position", [0, 11, 500])
def test_a_row_outside_the_positions_is_named(chain, position):
    row = chain.row(5)
    execute(INSERT_COPY, position, row.pk)
    assert chain.named() == [name("added", AuditEntry.objects.get(actor_name="nobody"))]


def test_the_end_cut_off_is_named_by_the_head(chain):
    execute("DELETE FROM integrations_verdict WHERE id = %s", chain.row(10).pk)
    assert chain.named() == [("end_cut_off", "", None, 10), name("current_changed", chain.row(8))]


def test_the_end_cut_off_with_the_head_is_named_by_the_seal_and_by_an_announced_head(chain):
    head = ChainHead.objects.get(pk=chain.organization.pk)
    announced = HeadToCompare(head.position, head.hash)
    execute("DELETE FROM integrations_verdict WHERE id = %s", chain.row(10).pk)
    kept = chain.row(9)
    overwrite(ChainHead.objects.filter(pk=head.pk), position=9, hash=kept.hash)
    overwrite(chain.verdicts().filter(position=8), is_current=True)
    assert chain.named() == [("seal_differs", "", None, 9)]
    assert chain.named(announced) == [("seal_differs", "", None, 9), ("end_cut_off", "", None, 10)]
    assert str(announced) in str(chain.faults(announced)[1])


def test_a_chain_that_was_written_anew_is_named_by_the_seal_and_by_an_announced_head(chain):
    fifth = chain.row(5)
    announced = HeadToCompare(5, fifth.hash)
    overwrite(rows_like(fifth), reason="Written anew.")
    previous = chain.row(4).hash
    for position in range(5, 11):
        row = chain.row(position)
        overwrite(rows_like(row), previous_hash=previous)
        give_own_hash(row)
        previous = chain.row(position).hash
    overwrite(ChainHead.objects.filter(pk=chain.organization.pk), hash=previous)
    unsealed = ("seal_differs", "", None, 10)
    assert chain.named() == [unsealed]
    assert chain.named(announced) == [("announced_head_differs", "", None, 5), unsealed]
    assert chain.named(HeadToCompare(4, chain.row(4).hash)) == [unsealed]


def test_a_changed_head_is_named(chain):
    overwrite(ChainHead.objects.filter(pk=chain.organization.pk), hash="ab" * 32)
    assert ("head_changed", "", None, 10) in chain.named()


def test_a_chain_without_rows_or_head_is_named_by_what_is_left(chain):
    execute("DELETE FROM integrations_chainhead WHERE chain = %s", chain.organization.pk)
    assert {code for code, *_ in chain.named()} == {"added", "end_cut_off"}


def test_a_verdict_marked_current_though_it_was_replaced_is_named(chain):
    earlier, current = chain.row(8), chain.row(10)
    overwrite(rows_like(current), is_current=False)
    overwrite(rows_like(earlier), is_current=True)
    assert chain.named() == [name("current_changed", earlier), name("current_changed", current)]


def test_text_that_was_erased_outside_the_portal_is_named(chain):
    row = chain.row(6)
    execute(
        "UPDATE integrations_verdict SET explanation = '', assessment_written = '', text_salt = '' WHERE id = %s",
        row.pk,
    )
    assert chain.named() == [name("erased_without_record", row)]


def test_rows_of_another_organization_are_no_fault(chain, stranger):
    other = stranger.memberships.get().organization
    type(chain)(other)
    assert chain.named() == []
    row = chain.row(3)
    overwrite(rows_like(row), organization_id=other.pk, position=500)
    assert ("removed", "", None, 3) in chain.named()


def test_the_hash_is_bound_to_its_chain():
    one, another = (
        link_hash(chain=chain, position=1, previous_hash="", kind=AuditEntry.KIND, row={}, digest="")
        for chain in (1, 2)
    )
    assert one != another
