"""Run the portal: the web server and the queue's workers, supervised."""

import errno
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from portal.process import serve, startup


class Command(BaseCommand):
    help = "Run the portal: the web server and a supervised cluster of workers. Ends on Ctrl-C or TERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="where to listen (default 8000)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Wait for the database, which system checks ask too; then run the command."""
        if not settings.CONFIGURATION_ERRORS:
            startup.wait_for_database()
        return super().execute(*args, **options)

    def handle(self, *, host: str, port: int, **_: object) -> None:
        require_free_port(host, port)
        startup.prepare(self.stderr)
        self.stderr.write(f"Serving {settings.PORTAL_URL} on http://{host}:{port} until Ctrl-C.")
        self.stderr.flush()
        serve.become(host, port)


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
