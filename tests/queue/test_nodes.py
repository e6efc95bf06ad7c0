"""Heartbeats by node."""

from datetime import timedelta

from django.db.models.functions import Now

from integrations.queue.models.nodes import KEPT_FOR, Heartbeat


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
