"""Heartbeats by node and process."""

import os
from datetime import timedelta

from django.db.models.functions import Now

from integrations.queue.models.nodes import Heartbeat


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
    assert set(Heartbeat.objects.newest_by_node()) == {"one", "two"}


def test_a_node_that_was_not_seen_for_long_is_not_among_those_that_work(db):
    Heartbeat.beat()
    Heartbeat.objects.update(at=Now() - timedelta(minutes=20))
    assert Heartbeat.objects.newest_by_node() == {}


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
    assert set(Heartbeat.objects.newest_by_node()) == {"new"}
