"""Run the workers alone, as django-q2 does; at TERM they end what they have begun."""

import gc
import logging
import signal
from contextlib import suppress

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django_q.cluster import Cluster
from gunicorn.systemd import sd_notify

from integrations.http import stop_signal
from integrations.http.connections import tls_context
from integrations.queue import (
    progress,
    worker,  # noqa: F401 - the task, loaded before the processes are made, which share it
)
from integrations.queue.models.nodes import Heartbeat
from integrations.queue.notify import enqueue_work
from integrations.store.database import DATABASE_OUTAGE

LOOK_SECONDS = 1.0
#: A task notes each second that it makes progress. After so many looks without, in the beginning and then, no worker
#: takes tasks any more: one that is killed while it waits for a task can keep the others from ever getting one.
FIRST_LOOKS, MOST_LOOKS = 30, 6
ENDING = (signal.SIGTERM, signal.SIGINT)

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Run the queue's workers alone; `serve` runs them supervised. At TERM they end what they have begun."
    )

    def handle(self, **_: object) -> None:
        stop_signal.prepare()
        stop_at_signals()
        tls_context()  # read once for all workers: the first call of each would wait for it
        tell_systemd()
        while not enqueue_work():  # django-q2's cluster would end with an error
            tell_systemd()
            if stop_signal.wait(LOOK_SECONDS):
                return
        connections.close_all()
        # what is loaded stays: to look through it for garbage would take each worker 70 ms at a time, and a copy of it
        gc.collect()
        gc.freeze()
        # a process manager may send these to every process: they would end the others in the middle of a call
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        cluster = Cluster()
        cluster.start()
        stop_at_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        self._look(cluster)
        cluster.stop()
        with suppress(*DATABASE_OUTAGE):
            Heartbeat.objects.filter(node=settings.NODE).delete()
        connections.close_all()

    def _look(self, cluster: Cluster) -> None:
        """Enqueue a task each second until a stop is requested. Raises CommandError when no worker works any more.

        By looks rather than by the clock: while this process stands still, so may the whole machine.
        """
        seen, left = progress.last(), FIRST_LOOKS
        while not stop_signal.wait(LOOK_SECONDS):
            left -= 1
            # in case a task was lost; it shows that the workers live, too, unless the queue is away
            if not enqueue_work() or progress.last() != seen:
                seen, left = progress.last(), MOST_LOOKS
            if not cluster.sentinel.is_alive() or left <= 0:
                cluster.sentinel.kill()  # this process would wait for it
                raise CommandError(
                    "django-q2's cluster has ended, or its workers stand still; start it again."
                )
            tell_systemd()


def tell_systemd() -> None:
    """Tell systemd, where it runs this, that the workers are there and not frozen."""
    sd_notify("READY=1\nWATCHDOG=1", logger)


def stop_at_signals() -> None:
    """Have TERM and INT request a stop; django-q2 has set handlers of its own meanwhile."""
    for number in ENDING:
        signal.signal(number, lambda *_: stop_signal.request())
