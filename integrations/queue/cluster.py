"""django-q2's cluster, which ends what it has begun when it is asked to stop, and begins nothing new."""

import gc
import signal
from contextlib import suppress
from types import FrameType

from django.db import connections
from django_q.cluster import Cluster

from integrations import stop_signal
from integrations.http.kept_connections import tls_context
from integrations.models import Heartbeat
from integrations.models.db_retry import DATABASE_OUTAGE


class DrainingCluster(Cluster):
    """A cluster whose workers see the stop signal: without it they would go on claiming rows for as long as any is due.

    TERM reaches the cluster's own process alone. It is blocked in the others, which a process manager may send it to as
    well: it would end them in the middle of a call.
    """

    def start(self) -> int:
        """Start the processes, which inherit the stop signal and the blocked TERM; return this process's id."""
        stop_signal.prepare()
        tls_context()  # read once for all workers: the first call of each would wait for it
        # what is loaded stays: to look through it for garbage would take each worker 70 ms at a time, and a copy of it
        gc.collect()
        gc.freeze()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        try:
            return super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        """Ask the workers to stop, wait for them, and let their heartbeats end with them."""
        stop_signal.request()
        super().sig_handler(signum, frame)
        with suppress(*DATABASE_OUTAGE):
            Heartbeat.remove_ended()
        connections.close_all()
