"""Run the portal: the web server and the queue's workers, supervised."""

import errno
import os
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from portal.process import startup, supervisor
from portal.process.startup import queue_cluster, web_server


class Command(BaseCommand):
    help = "Run the portal: the web server and the workers, supervised. Ends on Ctrl-C or TERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="where to listen (default 8000)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument(
            "--only", choices=("web", "workers"), help="one of the two, as a service of its own"
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Wait for the database, which system checks ask too; then run the command."""
        if not settings.CONFIGURATION_ERRORS:
            startup.wait_for_database()
        return super().execute(*args, **options)

    def handle(self, *, host: str, port: int, only: str | None, **_: object) -> None:
        if only != "workers":
            require_free_port(host, port)
        startup.prepare(self.stderr)
        # stable, so that metrics can be collected by node, and no other's on this machine
        os.environ["PORTAL_NODE"] = settings.NAMED_NODE or f"{socket.gethostname()}-{port}"
        os.environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")])
        )
        self.stderr.write(
            "Working until Ctrl-C."
            if only == "workers"
            else f"Serving {settings.PORTAL_URL} on http://{host}:{port} until Ctrl-C."
        )
        self.stderr.flush()
        programs = [one for one in (web_server(host, port), queue_cluster()) if only in {None, one.name}]
        supervisor.become(programs, _log_settings_of_supervisor())


def _log_settings_of_supervisor() -> dict[str, Any]:
    """Return the log's settings without what needs Django: the supervisor's process doesn't load it."""
    filters = {"correlation": settings.LOGGING["filters"]["correlation"]}
    handlers = {"stderr": {**settings.LOGGING["handlers"]["stderr"], "filters": list(filters)}}
    return {**settings.LOGGING, "filters": filters, "handlers": handlers, "loggers": {}}


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
