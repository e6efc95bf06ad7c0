"""What belongs to the whole portal is done once in its time, by one worker, and again after a failure or a kill."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import AttemptLimit, CacheEntry, PendingMembership, PortalDuty
from integrations.models.attempt_limit import Limit
from integrations.queue import portal_duties
from tests import factories
from tests.attempt_limits import let_pass

PLAN, CLEAN_UP = PortalDuty.Name.PLAN_DUTIES, PortalDuty.Name.CLEAN_UP


@pytest.fixture
def done(db, monkeypatch) -> list[str]:
    """The duties that were done, each as its name."""
    names: list[str] = []
    doing: dict[PortalDuty.Name, Callable[[], object]] = {
        PLAN: lambda: names.append("plan"),
        CLEAN_UP: lambda: names.append("clean up"),
    }
    monkeypatch.setattr(portal_duties, "PORTAL_DUTIES", doing)
    return names


def pass_by(duration: timedelta) -> None:
    for duty in PortalDuty.objects.all():
        PortalDuty.objects.filter(pk=duty.pk).update(due_at=duty.due_at - duration)


def test_every_duty_of_the_portal_runs(connected_organization) -> None:
    portal_duties.perform_portal_duties()
    assert set(portal_duties.PORTAL_DUTIES) == set(PortalDuty.Name)
    assert PortalDuty.objects.filter(succeeded_at__isnull=False, last_error="").count() == 2


def test_each_is_done_once_in_its_interval(done) -> None:
    for _ in range(3):
        portal_duties.perform_portal_duties()
    assert sorted(done) == ["clean up", "plan"]
    pass_by(timedelta(minutes=2))
    portal_duties.perform_portal_duties()
    assert sorted(done) == ["clean up", "plan", "plan"]


def test_one_worker_of_several_does_it(done) -> None:
    PortalDuty.write_missing()
    claimed = [PortalDuty.claim() for _ in range(3)]
    assert [duty is None for duty in claimed] == [False, False, True]


def test_it_is_done_again_when_its_worker_was_killed(done) -> None:
    PortalDuty.write_missing()
    while PortalDuty.claim():
        pass  # and nothing is done
    portal_duties.perform_portal_duties()
    assert done == []
    pass_by(timedelta(minutes=2))
    portal_duties.perform_portal_duties()
    assert done == ["plan"]
    pass_by(timedelta(minutes=8))
    portal_duties.perform_portal_duties()
    assert sorted(done) == ["clean up", "plan", "plan"]


def test_a_run_that_was_begun_anew_elsewhere_records_nothing(db) -> None:
    PortalDuty.write_missing()
    late = PortalDuty.claim()
    assert late is not None
    PortalDuty.objects.filter(pk=late.pk).update(started_at=timezone.now() + timedelta(minutes=3))
    late.succeed()
    assert PortalDuty.objects.get(pk=late.pk).succeeded_at is None


def test_the_clean_up_ends_when_the_worker_stops(db, monkeypatch, request_stop) -> None:
    request_stop()
    batches = iter([500, 0])
    monkeypatch.setattr(portal_duties, "erase_some_sign_ins", lambda _: next(batches))
    portal_duties.clean_up()
    assert list(batches) == [500, 0]


def test_a_failure_is_recorded_without_its_words_and_tried_again(done, monkeypatch, caplog) -> None:
    def fail() -> None:
        address = "ada@acme.example"
        raise ValueError(address)

    monkeypatch.setitem(portal_duties.PORTAL_DUTIES, CLEAN_UP, fail)
    portal_duties.perform_portal_duties()
    row = PortalDuty.objects.get(name=CLEAN_UP)
    assert (row.succeeded_at, row.last_error) == (None, "The portal failed on this: ValueError.")
    assert row.due_at <= timezone.now() + PortalDuty.Name.CLEAN_UP.held_for
    assert done == ["plan"]
    assert "ValueError" in caplog.text
    assert "ada@acme" not in caplog.text


def test_the_clean_up_deletes_what_nobody_needs_any_more(organization) -> None:
    now = timezone.now()
    for days, address in ((38, "long.ago@acme.example"), (36, "lately@acme.example")):
        pending = factories.invited(organization, address)
        pending.invited_at = now - timedelta(days=days)
        pending.save()
    AttemptLimit.take({"of an address": Limit(1, 60.0)})
    CacheEntry.objects.create(key="old", value=1, expires_at=now - timedelta(days=1))
    CacheEntry.objects.create(key="new", value=1, expires_at=now + timedelta(days=1))
    let_pass(2 * 24 * 3600)
    portal_duties.clean_up()
    assert [pending.email for pending in PendingMembership.objects.all()] == ["lately@acme.example"]
    assert not AttemptLimit.objects.exists()
    assert [entry.key for entry in CacheEntry.objects.all()] == ["new"]
