"""Somebody with the database's password lifts the triggers and changes the log: each change is named."""

from datetime import UTC, datetime

import pytest
from django.db import models

from integrations.audit.models.chain import Chained, ChainHead
from integrations.audit.models.entry import AuditEntry
from integrations.inbox.models.verdict import Verdict
from tests.audit.conftest import execute
from tests.support.append_only import overwrite

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


def rows_like(row: Chained) -> models.QuerySet[Chained]:
    return type(row)._default_manager.filter(pk=row.pk)


def give_own_hash(row: Chained) -> None:
    """Compute the row's digest and hash anew, as the portal would have."""
    row.refresh_from_db()
    row.text_digest = row.recomputed_digest()
    overwrite(rows_like(row), text_digest=row.text_digest, hash=row.recomputed_hash())


def said(row: Chained, what: str) -> str:
    """Return the fault of a row."""
    return f"{row._meta.verbose_name} {row.pk} at position {row.position}: {what}"


TEXT = "its text was changed."
COLUMNS = "its columns, its position or its hashes were changed."
REWRITTEN = "it was written after another row than the one before it: one of the two was rewritten."
UNSIGNED = "the keyed hash of the head"


def test_one_entry_and_one_verdict_changed_one_removed_and_one_inserted_are_all_named(chain):
    entry, verdict, removed, copied = chain.row(3), chain.row(4), chain.row(6), chain.row(8)
    execute("UPDATE integrations_auditentry SET reason = 'Never agreed.' WHERE id = %s", entry.pk)
    execute("UPDATE integrations_verdict SET code = 'invite' WHERE id = %s", verdict.pk)
    execute("DELETE FROM integrations_verdict WHERE id = %s", removed.pk)
    execute(INSERT_COPY, copied.position, entry.pk)
    added = AuditEntry.objects.get(actor_name="nobody")
    missing = f"position 6 is missing: what stood there was removed. The hash of the last row there was {removed.hash}."
    faults = chain.faults()
    assert faults[:3] == [said(entry, TEXT), said(verdict, COLUMNS), missing]
    assert said(added, COLUMNS) in faults[3:]


@pytest.mark.parametrize("position", [1, 2, 5, 6, 9])
def test_a_row_that_was_rewritten_with_a_hash_of_its_own_is_named_by_the_row_after_it(chain, position):
    row = chain.row(position)
    column = "reason" if isinstance(row, AuditEntry) else "explanation"
    overwrite(rows_like(row), **{column: "Something else."})
    give_own_hash(row)
    assert chain.faults() == [said(chain.row(position + 1), REWRITTEN)]


def test_the_last_row_that_was_rewritten_with_a_hash_of_its_own_is_named_by_the_head(chain):
    row = chain.row(10)
    overwrite(rows_like(row), explanation="Something else.")
    give_own_hash(row)
    assert chain.faults() == ["the row at position 10 was rewritten: the head of the chain has another hash."]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (AuditEntry, {"at": datetime(2020, 1, 1, tzinfo=UTC)}),
        (AuditEntry, {"actor_id": 4711}),
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
    faults = chain.faults()
    assert faults
    assert {fault.partition(":")[0] for fault in faults} == {said(row, "").partition(":")[0]}


def test_two_rows_that_changed_places_are_both_named(chain):
    first, second = chain.row(3), chain.row(7)
    overwrite(rows_like(first), position=99)
    overwrite(rows_like(second), position=3)
    overwrite(rows_like(first), position=7)
    assert chain.faults() == [said(chain.row(3), COLUMNS), said(chain.row(7), COLUMNS)]


@pytest.mark.parametrize("position", [0, 11, 500])
def test_a_row_outside_the_positions_is_named(chain, position):
    row = chain.row(5)
    execute(INSERT_COPY, position, row.pk)
    added = AuditEntry.objects.get(actor_name="nobody")
    assert chain.faults() == [said(added, "it was added: the chain ends at position 10.")]


def test_the_end_cut_off_is_named_by_the_head(chain):
    last = chain.row(10)
    execute("DELETE FROM integrations_verdict WHERE id = %s", last.pk)
    missing, replaced = chain.faults()
    assert missing == (
        f"position 10 is missing: the end of the chain was cut off. The hash of the last row there was {last.hash}."
    )
    assert replaced.startswith(said(chain.row(8), "it is marked as replaced"))


def test_a_chain_that_was_written_anew_is_named_by_the_heads_keyed_hash(chain):
    overwrite(rows_like(chain.row(5)), reason="Written anew.")
    previous = chain.row(4).hash
    for position in range(5, 11):
        row = chain.row(position)
        overwrite(rows_like(row), previous_hash=previous)
        give_own_hash(row)
        previous = chain.row(position).hash
    overwrite(ChainHead.objects.filter(pk=chain.organization.pk), hash=previous)
    [fault] = chain.faults()
    assert fault.startswith(UNSIGNED)


def test_a_chain_without_its_head_is_named_by_what_is_left(chain):
    execute("DELETE FROM integrations_chainhead WHERE chain = %s", chain.organization.pk)
    assert sum("it was added" in fault for fault in chain.faults()) == 10


def test_a_verdict_marked_current_though_it_was_replaced_is_named(chain):
    earlier, current = chain.row(8), chain.row(10)
    overwrite(rows_like(current), is_current=False)
    overwrite(rows_like(earlier), is_current=True)
    assert chain.faults() == [
        said(earlier, "it is marked current, but a later verdict replaced it."),
        said(current, "it is marked as replaced, but there is no later verdict."),
    ]


def test_text_that_was_erased_outside_the_portal_is_named(chain):
    row = chain.row(6)
    execute(
        "UPDATE integrations_verdict SET explanation = '', assessment_written = '', text_salt = '' WHERE id = %s",
        row.pk,
    )
    assert chain.faults() == [said(row, "its text was erased, but no later entry says so.")]


def test_rows_of_another_organization_are_no_fault(chain, stranger):
    other = stranger.memberships.get().organization
    type(chain)(other)
    assert chain.faults() == []
    row = chain.row(3)
    overwrite(rows_like(row), organization_id=other.pk, position=500)
    assert "position 3 is missing" in chain.faults()[0]
