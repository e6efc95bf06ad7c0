"""Heartbeats by node and process."""

import os
from datetime import timedelta

from django.db.models.functions import Now

from integrations.queue.models.nodes import KEPT_FOR, Heartbeat


def nodes() -> set[str]:
    """Return the nodes with a worker that is not gone."""
    return set(Heartbeat.objects.fresh(KEPT_FOR).values_list("node", flat=True))


def test_a_heartbeat_is_fresh_for_the_given_time(db):
    within = timedelta(seconds=5)
    assert not Heartbeat.is_fresh(within)
    for _ in range(2):
        Heartbeat.beat()
    assert Heartbeat.is_fresh(within)
    Heartbeat.objects.update(at=Now() - timedelta(seconds=6))
    assert not Heartbeat.is_fresh(within)


def test_each_process_of_each_node_has_its_own_heartbeat(db, settings, monkeypatch):
    for settings.NODE, process in (("one", 1), ("one", 2), ("two", 1), ("two", 1)):
        monkeypatch.setattr("integrations.queue.models.nodes.os.getpid", lambda process=process: process)
        Heartbeat.beat()
    assert set(Heartbeat.objects.values_list("node", "process")) == {("one", 1), ("one", 2), ("two", 1)}
    Heartbeat.objects.filter(node="one").update(at=Now() - timedelta(minutes=1))
    within = timedelta(seconds=5)
    assert not Heartbeat.is_fresh(within, "one")
    assert Heartbeat.is_fresh(within, "two")
    assert nodes() == {"one", "two"}


def test_a_node_that_was_not_seen_for_long_is_not_among_those_that_work(db):
    Heartbeat.beat()
    Heartbeat.objects.update(at=Now() - timedelta(minutes=20))
    assert nodes() == set()


def test_processes_that_have_ended_are_removed_and_no_others(db, settings):
    settings.NODE = "this"
    Heartbeat.beat()
    Heartbeat.objects.create(node="this", process=2**22 + 1)  # more than Linux has processes
    Heartbeat.objects.create(node="another", process=2**22 + 1)
    Heartbeat.remove_ended()
    assert set(Heartbeat.objects.values_list("node", "process")) == {
        ("this", os.getpid()),
        ("another", 2**22 + 1),
    }


def test_a_new_process_removes_the_rows_of_those_that_are_gone(db, settings):
    settings.NODE = "gone"
    Heartbeat.beat()
    Heartbeat.objects.update(at=Now() - timedelta(minutes=20))
    settings.NODE = "new"
    Heartbeat.beat()
    assert nodes() == {"new"}


def test_each_beat_tells_the_version(db, settings):
    for settings.VERSION in ("1.0", "1.1"):  # a process of the new release may have the id of an old one
        Heartbeat.beat()
    assert Heartbeat.objects.get().version == "1.1"
