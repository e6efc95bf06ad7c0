"""Run the portal: the web server and the queue's workers, supervised."""

import errno
import os
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from portal.process import startup
from portal.process.startup import queue_cluster, web_server


class Command(BaseCommand):
    help = "Run the portal: the web server and the workers, supervised, or one of both. Ends at TERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="where to listen (default 8000)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument(
            "--web", action="store_true", help="run the web server, without --workers it alone"
        )
        parser.add_argument(
            "--workers", action="store_true", help="run the workers, without --web they alone"
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Wait for the database, which system checks ask too; then run them and the command."""
        if not settings.CONFIGURATION_ERRORS:
            startup.wait_for_database()
        return super().execute(*args, **options)

    def handle(self, *, host: str, port: int, web: bool, workers: bool, **_: object) -> None:
        has_web = web or not workers
        has_workers = workers or not web
        if has_web:
            require_free_port(host, port)
        startup.prepare(self.stderr)
        # stable, so that metrics can be collected by node, and no other's on this machine but those of the other part
        os.environ.setdefault("PORTAL_NODE", f"{socket.gethostname()}-{port}")
        os.environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")])
        )
        self.stderr.write(
            f"Serving {settings.PORTAL_URL} on http://{host}:{port} until Ctrl-C."
            if has_web
            else "Working until Ctrl-C."
        )
        self.stderr.flush()
        programs = [web_server(host, port, is_alone=not has_workers)] if has_web else []
        programs += [queue_cluster()] if has_workers else []
        startup.supervise(programs)


def require_free_port(host: str, port: int) -> None:
    """Raise CommandError, with another port to try, unless this process may listen there."""
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
