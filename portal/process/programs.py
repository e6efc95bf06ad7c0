"""The two programs of a running portal, for `serve` and the developer tools to supervise."""

import secrets
import socket
import sys
from functools import partial

from django.conf import settings

from integrations.queue import liveness
from portal.process.supervisor import Program

#: The name of the node whose programs this process runs, by which it watches its own workers. `serve` has a stable one.
NODE = settings.NAMED_NODE or f"{socket.gethostname()}-{secrets.token_hex(3)}"
NODE_VARIABLE = {"PORTAL_NODE": NODE}
THREADS = 8
GRACEFUL_SECONDS = 25  # for requests in flight at TERM; some wait for a platform


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
    return Program("web", argv, env=NODE_VARIABLE)


def queue_cluster() -> Program:
    """Return the queue's workers: a django-q2 cluster, replaced when it has work but makes no progress."""
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster", "--skip-checks"]
    return Program(
        "workers",
        argv,
        env=NODE_VARIABLE,
        is_stalled=partial(liveness.must_be_replaced, NODE),
        made_progress_within=partial(liveness.has_worked_within, node=NODE),
    )
