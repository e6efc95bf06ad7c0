"""Writers of one organization are linked one after another; those of different organizations don't wait."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection, connections, transaction

from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.inbox.models.verdict import Verdict
from integrations.organizations.acts import change_organization, replace_webhook_key
from integrations.organizations.models.organization import Organization
from tests.audit.conftest import is_whole
from tests.support import factories
from tests.support.at_once import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS, EACH, REPLACED = 16, 12, 8


def record(organization: Organization | None) -> None:
    target = AuditTarget(TargetKind.ORGANIZATION, None, "Acme")
    audit(target, "configure", AuditAction.REPLAY, organization=organization)


def decide(delivery) -> None:
    """Decide as a worker does: lock the organization, change rows, then the verdict."""
    claimed = delivery.lease()
    assert claimed is not None
    with transaction.atomic():
        Organization.objects.lock(claimed.organization_id)
        assert claimed.decide("no_email", "There is no address.")


def replace_by_page(organization: Organization) -> None:
    for _ in range(REPLACED):
        replace_webhook_key(organization, "somebody")


def replace_by_file(organization: Organization) -> None:
    for number in range(REPLACED):
        change_organization(organization, {"webhook_key": f"key-{number}" * 5}, "configure")


def repeated(act: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(EACH):
            act()

    return run


def positions(organization: Organization | None) -> list[int]:
    of_entries = AuditEntry.objects.filter(organization=organization).values_list("position", flat=True)
    of_verdicts = Verdict.objects.filter(organization=organization).values_list("position", flat=True)
    return sorted([*of_entries, *of_verdicts])


@pytest.mark.slow
def test_many_writers_at_once_leave_no_gap_in_any_chain():
    first, second = factories.OrganizationFactory.create_batch(2)
    acts: list[Callable[[], None]] = []
    for number in range(WRITERS):
        organization = (first, second)[number % 2]
        if number % 4 < 2:
            acts.append(repeated(partial(record, organization)))
        else:
            delivery = factories.DeliveryFactory.create(organization=organization)
            acts.append(repeated(partial(decide, delivery)))
    assert run_at_once(*acts, times=1) == []
    for organization in (first, second):
        assert positions(organization) == list(range(1, WRITERS // 2 * EACH + 2))
        assert is_whole(organization)


def decide_without_lock(organization: Organization) -> None:
    """Decide as a worker does for a delivery that invites nobody: its foreign keys are checked at COMMIT."""
    factories.decide(factories.DeliveryFactory.create(organization=organization), "disconnected")


@pytest.mark.parametrize("replace", [replace_by_page, replace_by_file])
def test_a_webhook_address_is_replaced_while_deliveries_are_decided(replace):
    """A decision's check of its foreign keys waits for who changes the organization's key."""
    organization = factories.OrganizationFactory.create()
    decide_all = repeated(partial(decide_without_lock, organization))
    assert run_at_once(*[decide_all] * 4, partial(replace, organization), times=1) == []
    assert Organization.objects.get().previous_webhook_key
    assert is_whole(organization)


def test_the_first_rows_of_a_chain_may_be_written_at_once():
    assert run_at_once(partial(record, None), times=8) == []
    assert positions(None) == list(range(1, 9))
    assert is_whole(None)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_a_writer_of_another_organization_does_not_wait_for_a_transaction_that_is_open():
    held, free = factories.OrganizationFactory.create_batch(2)
    is_written, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            record(held)
            is_written.set()
            assert may_end.wait(30)
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert is_written.wait(10)
        began = time.monotonic()
        record(free)
        record(None)
        elapsed = time.monotonic() - began
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '300ms'")
        with pytest.raises(Exception, match="lock timeout"):
            record(held)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 0")
        may_end.set()
        holder.result()
    assert elapsed < 5
    record(held)
    assert positions(held) == [1, 2, 3]
    assert is_whole(held)


def test_the_chain_is_verified_while_it_grows():
    organization = factories.OrganizationFactory.create()
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            record(organization)

    def verify() -> None:
        try:
            for _ in range(10):
                assert is_whole(organization)
        finally:
            stop.set()

    assert run_at_once(write, write, verify, times=1) == []
    assert is_whole(organization)
