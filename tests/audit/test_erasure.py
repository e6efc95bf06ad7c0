"""Erasing personal text keeps the chain whole, if an entry says what was erased."""

import pytest

from integrations.audit import chain_walk
from integrations.audit.chain_walk import Covers, covers_of
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.chain import ERASED_POSITIONS, erased_positions
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from tests.support.append_only import overwrite

pytestmark = pytest.mark.django_db


def record_erasure(chain, positions) -> AuditEntry:
    target = AuditTarget(TargetKind.ORGANIZATION, chain.organization.pk, "opportunity-1")
    audit(target, "forget", AuditAction.ERASE, erased_positions(positions), organization=chain.organization)
    return chain.entries().last()


def test_erased_rows_are_in_order_when_a_later_entry_names_them(chain):
    hashes = [chain.row(position).hash for position in range(1, 11)]
    erased = chain.verdicts().erase_text() + chain.entries().filter(position__in=[1, 3]).erase_text()
    assert sorted(erased) == [1, 2, 3, 4, 6, 8, 10]
    entry = record_erasure(chain, erased)
    assert entry.changes == {ERASED_POSITIONS: [None, [[1, 4], [6, 6], [8, 8], [10, 10]]]}
    assert chain.faults() == []
    assert [chain.row(position).hash for position in range(1, 11)] == hashes
    for verdict in chain.verdicts():
        assert (verdict.explanation, verdict.assessment_written, verdict.text_salt) == ("", "", "")
        assert verdict.code == "no_email"
    first = chain.row(1)
    assert (first.target, first.changes, first.reason, first.actor_name) == ("", {}, "", "configure")


def test_erasing_again_erases_nothing(chain):
    assert chain.verdicts().filter(position=2).erase_text() == [2]
    assert chain.verdicts().filter(position=2).erase_text() == []
    assert chain.verdicts().none().erase_text() == []


def test_an_erasure_itself_is_never_erased(chain):
    entry = record_erasure(chain, chain.verdicts().erase_text())
    assert entry.position not in chain.entries().erase_text()
    entry.refresh_from_db()
    assert not entry.is_erased


def test_an_erasure_of_many_rows_is_recorded_in_one_entry(chain):
    for number in range(700):
        chain.decide(f"Because of {number} more.")
    erased = chain.verdicts().erase_text()
    assert len(erased) == 705
    record_erasure(chain, erased)
    assert chain.faults() == []


def test_rows_erased_while_the_chain_is_verified_are_in_order(chain, monkeypatch):
    """The erasure comes after the verification has read what earlier ones account for."""

    def read_covers(number):
        covers = covers_of(number)
        if erased := chain.verdicts().erase_text():
            record_erasure(chain, erased)
        return covers

    monkeypatch.setattr(chain_walk, "covers_of", read_covers)
    assert chain.faults() == []
    assert not chain.verdicts().exclude(text_salt="").exists()


def test_a_row_emptied_without_an_entry_while_the_chain_is_verified_is_named(chain, monkeypatch):
    def read_covers(number):
        covers = covers_of(number)
        chain.verdicts().filter(position=4).erase_text()
        return covers

    monkeypatch.setattr(chain_walk, "covers_of", read_covers)
    assert [(fault.code, fault.position) for fault in chain.faults()] == [("erased_without_record", 4)]


def test_an_entry_accounts_for_nothing_that_comes_after_it(chain):
    record_erasure(chain, range(1, 100))
    chain.decide("A later one.")
    chain.verdicts().filter(position=12).erase_text()
    assert [(fault.code, fault.position) for fault in chain.faults()] == [("erased_without_record", 12)]


def test_an_erasure_that_was_forged_accounts_for_nothing(chain):
    entry = record_erasure(chain, [])
    chain.verdicts().filter(position=2).erase_text()
    overwrite(chain.entries().filter(pk=entry.pk), changes={ERASED_POSITIONS: [None, [[1, 10]]]})
    assert {(fault.code, fault.position) for fault in chain.faults()} == {
        ("erased_without_record", 2),
        ("text_changed", entry.position),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {ERASED_POSITIONS: None},
        {ERASED_POSITIONS: [None, "1-10"]},
        {ERASED_POSITIONS: [None, [[1], [10, 1], ["1", "10"], [None, 10], 7]]},
    ],
)
def test_an_erasure_of_another_form_accounts_for_nothing(chain, changes):
    AuditEntry.objects.create(
        organization=chain.organization, actor_name="forget", action=AuditAction.ERASE, changes=changes
    )
    chain.verdicts().filter(position=2).erase_text()
    assert [(fault.code, fault.position) for fault in chain.faults()] == [("erased_without_record", 2)]


def test_text_that_was_put_into_an_erased_row_is_named(chain):
    record_erasure(chain, chain.verdicts().filter(position=4).erase_text())
    overwrite(chain.verdicts().filter(position=4), explanation="Something else.")
    assert [(fault.code, fault.position) for fault in chain.faults()] == [("text_after_erasure", 4)]


def test_ranges_that_overlap_or_touch_are_one():
    covers = Covers(iter([(5, 9), (1, 2), (3, 3), (8, 12), (20, 20)]))
    assert [position for position in range(25) if position in covers] == [*range(1, 4), *range(5, 13), 20]


def test_positions_are_recorded_once_and_as_ranges():
    assert erased_positions([3, 1, 2, 2, 9]) == {ERASED_POSITIONS: (None, [[1, 3], [9, 9]])}
    assert erased_positions([]) == {ERASED_POSITIONS: (None, [])}
