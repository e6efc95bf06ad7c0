"""`qcluster` looks each second, ends with django-q2's cluster and at TERM, and waits for a queue that is away."""

import os
import signal
from collections.abc import Iterator
from unittest import mock

import pytest
from django.core.management import CommandError

from integrations.management.commands import qcluster
from integrations.queue import progress
from integrations.queue.models.nodes import Heartbeat


@pytest.fixture
def cluster(db, monkeypatch, request_stop) -> Iterator[mock.Mock]:
    """Django-q2's cluster, pretended."""
    started = mock.Mock()
    monkeypatch.setattr(qcluster, "Cluster", lambda: started)
    monkeypatch.setattr(qcluster, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(qcluster, "connections", mock.Mock())
    monkeypatch.setattr(qcluster, "gc", mock.Mock())
    former = {number: signal.getsignal(number) for number in qcluster.ENDING}
    yield started
    for number, handler in former.items():
        signal.signal(number, handler)


@pytest.fixture
def told(monkeypatch) -> list[str]:
    """What systemd was told."""
    words: list[str] = []
    monkeypatch.setattr(qcluster, "sd_notify", lambda text, _: words.append(text))
    return words


@pytest.mark.parametrize("number", qcluster.ENDING)
def test_a_task_is_enqueued_at_each_look_until_it_is_to_end(cluster, told, monkeypatch, number):
    looks = []

    def enqueue() -> bool:
        looks.append(cluster.start.called)
        if len(looks) == 4:
            os.kill(os.getpid(), number)
        return True

    Heartbeat.beat()
    monkeypatch.setattr(qcluster, "enqueue_work", enqueue)
    qcluster.Command().handle()
    assert looks == [False, True, True, True]
    assert not Heartbeat.objects.exists(), "a clean end leaves no heartbeat"
    cluster.stop.assert_called_once_with()
    assert told == ["READY=1\nWATCHDOG=1"] * 4


def test_it_ends_with_an_error_when_the_cluster_has_ended(cluster, monkeypatch):
    monkeypatch.setattr(qcluster, "enqueue_work", lambda: True)
    cluster.sentinel.is_alive.side_effect = [True, False]
    with pytest.raises(CommandError, match="has ended"):
        qcluster.Command().handle()


@pytest.mark.parametrize("first", [0, 3])
def test_it_ends_with_an_error_when_no_worker_makes_progress(cluster, told, monkeypatch, first):
    """Later in the beginning than once a worker has made progress; systemd isn't told by then that all is well."""
    looks = []

    def enqueue() -> bool:
        looks.append(True)
        if len(looks) == first:
            progress.note()
        return True

    monkeypatch.setattr(qcluster, "enqueue_work", enqueue)
    with pytest.raises(CommandError, match="stand still"):
        qcluster.Command().handle()
    # the first of the looks is before the cluster is there
    assert len(looks) == (first + qcluster.MOST_LOOKS if first else 1 + qcluster.FIRST_LOOKS)
    assert len(told) == len(looks) - 1
    cluster.sentinel.kill.assert_called_once_with()


def test_nobody_takes_the_workers_for_frozen_while_the_queue_is_away(
    cluster, told, monkeypatch, request_stop
):
    """Neither before the cluster is started, which waits for the queue, nor afterwards."""
    answers = iter([False, False, True, *[False] * 2 * qcluster.FIRST_LOOKS])

    def enqueue() -> bool:
        answer = next(answers, None)
        if answer is None:
            request_stop()
        return bool(answer)

    monkeypatch.setattr(qcluster, "enqueue_work", enqueue)
    qcluster.Command().handle()
    cluster.start.assert_called_once_with()
    cluster.stop.assert_called_once_with()


def test_it_ends_while_it_waits_for_the_queue(cluster, told, monkeypatch, request_stop):
    monkeypatch.setattr(qcluster, "enqueue_work", lambda: bool(request_stop()))
    qcluster.Command().handle()
    assert not cluster.start.called
