"""The two programs of a running portal, for `serve` and the developer tools to supervise."""

import os
import sys

from django.conf import settings

from portal.process.supervisor import Program

#: Many times the interval of the workers' heartbeat, and short enough to replace them within 10 seconds.
SILENT_SECONDS = 7.0


def web_server(host: str, port: int) -> Program:
    """Return the web server with its WEB_WORKERS processes."""
    search_path = os.pathsep.join([str(settings.BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])])
    # -P: the present folder's files aren't modules
    argv = [sys.executable, "-P", "-m", "portal.asgi", host, str(port)]
    return Program("web", argv, env={"PYTHONPATH": search_path})


def queue_cluster() -> Program:
    """Return the queue's workers: a django-q2 cluster, replaced when none of its processes works any more."""
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster", "--skip-checks"]
    return Program("workers", argv, silent_seconds=SILENT_SECONDS)
