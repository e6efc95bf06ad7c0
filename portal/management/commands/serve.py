"""Run the portal: the web server and the queue's workers, supervised."""

import errno
import socket
import sys
from argparse import ArgumentParser

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import connections

from integrations.management import migrating
from integrations.queue import liveness, notify, schedules
from portal.process import startup
from portal.process.supervisor import Program, Supervisor

THREADS = 8


class Command(BaseCommand):
    help = "Run the portal: the web server and a supervised cluster of workers. Ends on Ctrl-C or TERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="where to listen (default 8000)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")

    def handle(self, *, host: str, port: int, **_: object) -> None:
        require_free_port(host, port)
        startup.wait_for_database()
        migrating.migrate(self.stderr)
        startup.collect_static()
        schedules.ensure_schedules()
        connections.close_all()
        self.stderr.write(f"Serving {settings.PORTAL_URL} on http://{host}:{port} until Ctrl-C.")
        Supervisor([web(host, port), workers()], every_second=notify.notify_if_due).run()


def web(host: str, port: int) -> Program:
    """Return the web server: gunicorn, with threads in WEB_WORKERS processes."""
    argv = [sys.executable, "-m", "gunicorn", "portal.wsgi:application"]
    argv += ["--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
    argv += ["--worker-class", "gthread", "--workers", str(settings.WEB_WORKERS), "--threads", str(THREADS)]
    argv += ["--pythonpath", str(settings.BASE_DIR), "--graceful-timeout", "15", "--no-control-socket"]
    # loaded once, before the workers are forked: a killed one is replaced at once
    argv += ["--preload", "--log-level", "warning"]
    return Program("web", argv)


def workers() -> Program:
    """Return the queue's workers: a django-q2 cluster, replaced when it has work but makes no progress."""
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster", "--skip-checks"]
    return Program(
        "workers", argv, is_stalled=liveness.must_be_replaced, made_progress_within=liveness.has_worked_within
    )


def require_free_port(host: str, port: int) -> None:
    """Raise CommandError, with the fix, unless the portal may listen there."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "something else is listening there" if is_taken else str(error)
        raise CommandError(
            f"Can't listen on {host}:{port}: {reason}. Choose another port: "
            f"python3 manage.py serve --port {port + 1 if port < 65535 else 8000}"
        ) from error
