"""The ASGI entry point, and the web server that serves it: `python -m portal.asgi HOST PORT`."""

import fcntl
import multiprocessing
import os
import signal
import sys
from functools import partial
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.servers.basehttp import get_internal_wsgi_application
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from portal.process.whole_requests import WholeRequests

#: Further connections of a process wait until one ends.
MOST_CONNECTIONS = 2000
#: How long a connection may take to send the head of its first or next request.
HEAD_SECONDS = 30
LARGEST_HEAD = 32 * 1024
GRACEFUL_SECONDS = 25  # for requests in flight at TERM; some wait for a platform

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
if __name__ == "__main__" and settings.METRICS_TOKEN:
    # the processes count in files, so that each can tell of all; prometheus_client reads the folder at its import
    counts = TemporaryDirectory(prefix="portal-metrics-")
    # systemd removes what nobody has read for ten days from /tmp, except from a folder that is locked
    fcntl.flock(os.open(counts.name, os.O_RDONLY), fcntl.LOCK_SH)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts.name
application = WholeRequests(get_internal_wsgi_application())


def serve(host: str, port: int) -> None:
    """Serve by WEB_WORKERS processes until TERM; then end what is in flight."""
    # what is loaded by now is shared by the processes, and one that replaces a killed one answers at once
    multiprocessing.set_start_method("fork", force=True)
    end_at_term_once_forked()
    Granian(
        "portal.asgi:application",
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        workers=settings.WEB_WORKERS,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000, max_buffer_size=LARGEST_HEAD),
        websockets=False,
        backpressure=MOST_CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACEFUL_SECONDS,
        log_level=LogLevels.warning,
        log_dictconfig=settings.LOGGING,
    ).serve()


def end_at_term_once_forked() -> None:
    """Have each process that is forked from now on end at TERM, until it sets a handler of its own.

    Otherwise it has its parent's handler, and Python forgets what arrives before it runs: so TERM waits for both.
    """
    term = [signal.SIGTERM]

    def let_end() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, term)

    os.register_at_fork(
        before=partial(signal.pthread_sigmask, signal.SIG_BLOCK, term),
        after_in_parent=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, term),
        after_in_child=let_end,
    )


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
