"""Settings of gunicorn, which serves `portal.wsgi`: `gunicorn --config python:portal.web_server portal.wsgi`."""

import fcntl
import os
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from django.conf import settings

worker_class = "gthread"
workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS
#: Loaded once: the processes share its memory, and one that takes a killed one's place answers at once.
preload_app = True
#: A process whose main thread shows no sign of life for so long is killed and replaced.
timeout = 30
#: For requests in flight at TERM; some wait for a platform.
graceful_timeout = 25
#: How long a connection may rest between two requests: longer than the proxy keeps it (Caddyfile).
keepalive = 30
#: Of each process, at rest too; others wait until one ends.
worker_connections = 2000
limit_request_line = 8190
limit_request_field_size = 8190
#: Nobody's headers name the scheme or the path: Django goes by `X-Forwarded-Proto` alone, which the proxy sets.
forwarded_allow_ips = ""
control_socket_disable = True
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {**settings.LOGGING["loggers"], "gunicorn.error": {"level": "WARNING", "propagate": True}},
}

_counts = ""
if settings.METRICS_TOKEN:
    # the processes count in files, so that each can tell of all; prometheus_client reads the folder at its import
    _counts = mkdtemp(prefix="portal-metrics-")
    # systemd removes what nobody has read for ten days from /tmp, except from a folder that is locked
    fcntl.flock(os.open(_counts, os.O_RDONLY), fcntl.LOCK_SH)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _counts


def on_exit(server: Any) -> None:
    """Remove the counts."""
    if _counts:
        rmtree(_counts, ignore_errors=True)
