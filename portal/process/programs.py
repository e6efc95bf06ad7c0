"""The two programs of a running portal, for `serve` and the developer tools to supervise."""

import sys

from django.conf import settings

from portal.process.supervisor import Program

THREADS = 8
GRACEFUL_SECONDS = 25  # for requests in flight at TERM; some wait for a platform
#: Many times the interval of the workers' heartbeat, and short enough to replace them within 10 seconds.
SILENT_SECONDS = 7.0


def web_server(host: str, port: int) -> Program:
    """Return the web server: gunicorn's WEB_WORKERS processes, with threads and waitress' reading of requests."""
    argv = [sys.executable, "-m", "gunicorn", "portal.wsgi:application"]
    argv += ["--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
    argv += ["--worker-class", "portal.process.web_worker.BufferingWorker"]
    argv += ["--workers", str(settings.WEB_WORKERS), "--threads", str(THREADS)]
    argv += [
        "--pythonpath",
        str(settings.BASE_DIR),
        "--graceful-timeout",
        str(GRACEFUL_SECONDS),
        "--no-control-socket",
    ]
    # loaded once, before the workers are forked: a killed worker is replaced at once
    argv += ["--preload", "--log-level", "warning"]
    return Program("web", argv)


def queue_cluster() -> Program:
    """Return the queue's workers: a django-q2 cluster, replaced when none of its processes works any more."""
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster", "--skip-checks"]
    return Program("workers", argv, silent_seconds=SILENT_SECONDS)
