"""Erasing personal text keeps the chain whole, if an entry says what was erased."""

import re

import pytest

from integrations.audit import verification
from integrations.audit.models.chain import ERASED_POSITIONS
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.audit.record import audit
from tests.support.append_only import overwrite

pytestmark = pytest.mark.django_db


def record_erasure(chain, positions) -> AuditEntry:
    target = AuditTarget(TargetKind.ORGANIZATION, chain.organization.pk, "opportunity-1")
    changes = {ERASED_POSITIONS: (None, sorted(positions))}
    audit(target, "forget", AuditAction.ERASE, changes, organization=chain.organization)
    return chain.entries().last()


def positions_without_entry(chain) -> list[int]:
    """Return the positions of erased rows that no entry accounts for; there is no other fault."""
    faults = chain.faults()
    assert all(fault.endswith("its text was erased, but no later entry says so.") for fault in faults)
    return [int(re.findall(r"position (\d+)", fault)[0]) for fault in faults]


def test_erased_rows_are_in_order_when_a_later_entry_names_them(chain, monkeypatch):
    monkeypatch.setattr("integrations.audit.models.chain.ERASED_AT_ONCE", 2)
    hashes = [chain.row(position).hash for position in range(1, 11)]
    erased = chain.verdicts().erase_text() + chain.entries().filter(position__in=[1, 3]).erase_text()
    assert sorted(erased) == [1, 2, 3, 4, 6, 8, 10]
    entry = record_erasure(chain, erased)
    assert entry.changes == {ERASED_POSITIONS: [None, [1, 2, 3, 4, 6, 8, 10]]}
    assert chain.faults() == []
    assert [chain.row(position).hash for position in range(1, 11)] == hashes
    for verdict in chain.verdicts():
        assert (verdict.explanation, verdict.assessment_written, verdict.text_salt) == ("", "", "")
        assert verdict.code == "no_email"
    first = chain.row(1)
    assert (first.target, first.changes, first.reason, first.actor_name) == ("", {}, "", "configure")


def test_an_erasure_itself_is_never_erased(chain):
    entry = record_erasure(chain, chain.verdicts().erase_text())
    assert entry.position not in chain.entries().erase_text()
    entry.refresh_from_db()
    assert not entry.is_erased


@pytest.mark.parametrize("is_recorded", [True, False])
def test_rows_erased_while_the_chain_is_verified_need_an_entry_too(chain, monkeypatch, is_recorded):
    """The erasure comes after the verification has seen where the chain ends."""
    read_rows = verification._rows

    def rows(number, end):
        erased = chain.verdicts().filter(position=4).erase_text()
        if is_recorded:
            record_erasure(chain, erased)
        return read_rows(number, end)

    monkeypatch.setattr(verification, "_rows", rows)
    assert positions_without_entry(chain) == ([] if is_recorded else [4])


def test_an_entry_accounts_for_nothing_that_comes_after_it(chain):
    record_erasure(chain, range(1, 100))
    chain.decide("A later one.")
    chain.verdicts().filter(position=12).erase_text()
    assert positions_without_entry(chain) == [12]


def test_an_erasure_that_was_forged_accounts_for_nothing(chain):
    entry = record_erasure(chain, [])
    chain.verdicts().filter(position=2).erase_text()
    overwrite(chain.entries().filter(pk=entry.pk), changes={ERASED_POSITIONS: [None, [2]]})
    changed, unaccounted = chain.faults()
    assert changed == f"audit entry {entry.pk} at position {entry.position}: its text was changed."
    assert "at position 2: its text was erased" in unaccounted


def test_text_that_was_put_into_an_erased_row_is_named(chain):
    record_erasure(chain, chain.verdicts().filter(position=4).erase_text())
    overwrite(chain.verdicts().filter(position=4), explanation="Something else.")
    [fault] = chain.faults()
    assert "at position 4: text was put in after it was erased." in fault
