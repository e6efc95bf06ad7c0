"""What belongs to the whole portal is done once in its time, by one worker; each node tells that it is alive."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from integrations.accounts.models.attempts import AttemptLimit, Limit
from integrations.codescreen.models import CodeScreenConnection
from integrations.members.models.membership import PendingMembership
from integrations.queue import duties, worker
from integrations.queue.models.duty_run import INTERVALS, Duty, DutyRun
from integrations.queue.models.nodes import HELD_FOR, KEPT_FOR, Heartbeat, PortalDuty
from tests.support import factories
from tests.support.attempt_limits import let_pass

PLAN, CLEAN_UP = PortalDuty.Name.PLAN_DUTIES, PortalDuty.Name.CLEAN_UP


@pytest.fixture
def done(db, monkeypatch) -> list[str]:
    """The duties that were done, each as its name."""
    names: list[str] = []
    doing: dict[PortalDuty.Name, Callable[[], object]] = {
        PLAN: lambda: names.append("plan"),
        CLEAN_UP: lambda: names.append("clean up"),
    }
    monkeypatch.setattr(duties, "PORTAL_DUTIES", doing)
    return names


def pass_by(duration: timedelta) -> None:
    for duty in PortalDuty.objects.all():
        PortalDuty.objects.filter(pk=duty.pk).update(due_at=duty.due_at - duration)


def test_each_is_done_once_in_its_interval(done) -> None:
    for _ in range(3):
        duties.perform_portal_duties()
    assert sorted(done) == ["clean up", "plan"]
    pass_by(timedelta(minutes=2))
    duties.perform_portal_duties()
    assert sorted(done) == ["clean up", "plan", "plan"]


def test_one_worker_of_several_claims_it_and_another_when_that_one_was_killed(done) -> None:
    PortalDuty.write_missing()
    claimed = [PortalDuty.claim() for _ in range(3)]
    assert [duty is None for duty in claimed] == [False, False, True]
    duties.perform_portal_duties()
    assert done == []
    pass_by(HELD_FOR)
    duties.perform_portal_duties()
    assert sorted(done) == ["clean up", "plan"]


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
    monkeypatch.setattr(duties, "erase_some_sign_ins", lambda _: next(batches))
    duties.clean_up()
    assert list(batches) == [500, 0]


def test_a_failure_is_recorded_without_its_words_and_tried_again(done, monkeypatch, caplog) -> None:
    def fail() -> None:
        address = "ada@acme.example"
        raise ValueError(address)

    monkeypatch.setitem(duties.PORTAL_DUTIES, CLEAN_UP, fail)
    duties.perform_portal_duties()
    row = PortalDuty.objects.get(name=CLEAN_UP)
    assert (row.succeeded_at, row.last_error) == (None, "The portal failed on this: ValueError.")
    assert row.due_at <= timezone.now() + HELD_FOR
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
    for days in (0, 2):
        OrmQ.objects.create(key="a node that is gone", payload="x", lock=now - timedelta(days=days))
    let_pass(2 * 24 * 3600)
    duties.clean_up()
    assert OrmQ.objects.count() == 1
    assert [pending.email for pending in PendingMembership.objects.all()] == ["lately@acme.example"]
    assert not AttemptLimit.objects.exists()


# the plan of the organizations' duties


@pytest.fixture
def planned(ready_organization):
    """An organization whose rows are written, with nothing due."""
    duties.plan_duties()
    DutyRun.objects.update(due_at=timezone.now() + timedelta(hours=1))
    return ready_organization


def called_for() -> list[str]:
    return list(DutyRun.objects.due().values_list("duty", flat=True))


def test_each_organization_has_each_duty_once_spread_over_its_interval(db) -> None:
    for _ in range(2):
        factories.OrganizationFactory.create_batch(20)
        duties.plan_duties()
    assert DutyRun.objects.count() == 40 * len(INTERVALS)
    now = timezone.now()
    for duty, interval in INTERVALS.items():
        due_times = DutyRun.objects.filter(duty=duty).values_list("due_at", flat=True)
        waits = [(due_at - now) / interval for due_at in due_times if due_at is not None]
        assert -0.1 < min(waits) < 0.5 < max(waits) < 1.1, duty


def test_a_plan_costs_as_many_queries_for_many_organizations_as_for_one(db) -> None:
    counts = []
    for number in (1, 40):
        factories.OrganizationFactory.create_batch(number)
        duties.plan_duties()
        with CaptureQueriesContext(connection) as queries:
            duties.plan_duties()
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_nothing_is_called_for_but_a_refused_key_each_minute(planned) -> None:
    duties.plan_duties()
    assert called_for() == []
    CodeScreenConnection.objects.update(state="refused")
    for _ in range(2):
        duties.plan_duties()
        assert Duty.RETRY_REFUSED_KEY in called_for()
        DutyRun.objects.update(due_at=None)


def test_what_waited_is_requeued_when_the_connection_is_back(planned) -> None:
    waiting = {"verdict": "disconnected", "decided_at": timezone.now(), "organization": planned}
    factories.DeliveryFactory.create(**waiting, due_at=None)
    CodeScreenConnection.objects.update(state="refused")
    duties.plan_duties()
    assert Duty.REQUEUE_WAITING not in called_for()
    CodeScreenConnection.objects.update(state="connected")
    duties.plan_duties()
    assert Duty.REQUEUE_WAITING in called_for()


def test_deliveries_that_are_scheduled_already_are_left_to_their_time(planned) -> None:
    in_an_hour = timezone.now() + timedelta(hours=1)
    waiting = {"verdict": "disconnected", "decided_at": timezone.now(), "organization": planned}
    factories.DeliveryFactory.create(**waiting, due_at=in_an_hour)
    effect = factories.EffectFactory.create(organization=planned, due_at=in_an_hour)
    duties.plan_duties()
    worker.perform_duties()
    effect.refresh_from_db()
    assert effect.due_at == in_an_hour


# heartbeats by node


def nodes() -> set[str]:
    """Return the nodes with a worker that is not gone."""
    return set(Heartbeat.objects.fresh(KEPT_FOR).values_list("node", flat=True))


def test_each_node_has_its_own_heartbeat(db, settings):
    for settings.NODE in ("one", "two", "two"):
        Heartbeat.beat()
    assert set(Heartbeat.objects.values_list("node", flat=True)) == {"one", "two"}
    Heartbeat.objects.filter(node="one").update(at=Now() - timedelta(minutes=1))
    within = timedelta(seconds=5)
    assert not Heartbeat.is_fresh(within, "one")
    assert Heartbeat.is_fresh(within, "two")
    assert nodes() == {"one", "two"}


def test_a_new_node_removes_the_rows_of_those_that_are_gone(db, settings):
    settings.NODE = "gone"
    Heartbeat.beat()
    Heartbeat.objects.update(at=Now() - timedelta(minutes=20))
    assert nodes() == set()
    settings.NODE = "new"
    Heartbeat.beat()
    assert set(Heartbeat.objects.values_list("node", flat=True)) == {"new"}


def test_each_beat_tells_the_version(db, settings):
    for settings.VERSION in ("1.0", "1.1"):
        Heartbeat.beat()
    assert Heartbeat.objects.get().version == "1.1"
