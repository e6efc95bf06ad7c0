"""The environment of a demo: its ports, a folder that is removed with it, and the variables of all its programs.

The benchmark and the chaos runs take place in one too, with some variables changed.
"""

import base64
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NoReturn, Self

import psycopg
from django.conf import settings
from django.core.management import CommandError
from django.db import connections

from portal.devtools import databases
from portal.devtools.certificates import write_certificate
from portal.devtools.processes import HOST, claim_port, free_port
from portal.devtools.sandbox.chat import SLACK
from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.lever.server import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, LeverSandbox
from portal.devtools.sandbox.mail import MailSandbox
from portal.devtools.sandbox_client import SandboxClient
from portal.process.startup import web_server
from portal.process.supervisor import Program

FOLDER = "PORTAL_DEMO_FOLDER"
PORTS = "PORTAL_DEMO_PORTS"
BEGAN_AT = "PORTAL_DEMO_BEGAN_AT"
#: The PostgreSQL server on which the run has a database of its own; empty on SQLite.
SERVER = "PORTAL_DEMO_SERVER"


@dataclass(frozen=True)
class DemoEnvironment:
    """Where a demo's parts are: the folder with its database, and the ports of its servers."""

    folder: Path
    port: int
    lever_port: int
    codescreen_port: int
    mail_port: int
    smtp_port: int
    chat_port: int

    @classmethod
    def create(cls, purpose: str, port: int | None = None, within: Path | None = None) -> Self:
        """Return a new folder, within another if one is given, and ports claimed for this process.

        The portal's port is the given one, which must be claimed already, else 8000, else any that is free.
        """
        if port is None:
            port = 8000 if claim_port(8000) else free_port()
        folder = Path(tempfile.mkdtemp(prefix=f"codescreen-lever-{purpose}-", dir=within))
        return cls(folder, port, *(free_port() for _ in range(5)))

    @classmethod
    def current(cls) -> Self | None:
        """Return the environment that this process was restarted in by `enter()`, None before that."""
        if FOLDER not in os.environ:
            return None
        return cls(Path(os.environ[FOLDER]), *(int(port) for port in os.environ[PORTS].split(",")))

    def enter(self, server_url: str = "", **changes: str) -> NoReturn:
        """Replace this process by the same command in this environment, since settings are read only once.

        With a PostgreSQL server, in a database of its own there. Raises CommandError.
        """
        manage = str(settings.BASE_DIR / "manage.py")
        environ = {**os.environ, **self.variables(), **changes, SERVER: server_url}
        if server_url:
            try:
                environ["DATABASE_URL"] = databases.create(server_url, self.folder.name)
            except psycopg.Error as error:
                shutil.rmtree(self.folder)
                raise CommandError(f"No database could be made on that server: {error}") from error
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, manage, *sys.argv[1:]], environ)  # noqa: S606

    def clear(self) -> None:
        """Remove what was made: the folder, and on the server the database and its copies."""
        connections.close_all()
        shutil.rmtree(self.folder, ignore_errors=True)
        if server := os.environ.get(SERVER):
            databases.drop_all(server, self.folder.name)

    @staticmethod
    def began_at() -> float:
        """Return when the command was started whose process was restarted in this environment."""
        return float(os.environ[BEGAN_AT])

    @property
    def portal_url(self) -> str:
        """The portal's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def lever(self) -> SandboxClient:
        """The sandbox's Lever."""
        return SandboxClient(f"http://{HOST}:{self.lever_port}")

    @property
    def codescreen(self) -> SandboxClient:
        """The sandbox's CodeScreen."""
        return SandboxClient(f"http://{HOST}:{self.codescreen_port}")

    @property
    def mail_url(self) -> str:
        """The pages that show the e-mails."""
        return f"http://{HOST}:{self.mail_port}"

    @property
    def chat_certificate(self) -> Path:
        """The certificate of the sandbox's chat room."""
        return self.folder / "chat.pem"

    def messages(self) -> Mapping[str, str]:
        """Return the variables with which e-mails and chat messages go to the sandbox."""
        return {
            "EMAIL_URL": f"smtp://{HOST}:{self.smtp_port}",
            "https_proxy": f"http://{HOST}:{self.chat_port}",
            "no_proxy": f"{HOST},localhost",
            "REQUESTS_CA_BUNDLE": str(self.chat_certificate),
        }

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """The addresses of the portal that Lever's consent may lead back to."""
        return tuple(f"http://{host}:{self.port}/oauth/complete/lever/" for host in (HOST, "localhost"))

    @property
    def urls_to_wait_for(self) -> tuple[str, str, str]:
        """Addresses that answer once the three servers have started."""
        return f"{self.lever.url}/", f"{self.codescreen.url}/", f"{self.portal_url}/healthz/live"

    def variables(self) -> Mapping[str, str]:
        """Return the environment variables of a demo: all its own, nothing taken from the machine's."""
        return {
            FOLDER: str(self.folder),
            PORTS: ",".join(str(port) for port in astuple(self)[1:]),
            BEGAN_AT: str(time.time()),
            "PORTAL_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "portal.devtools.settings",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "DEBUG": "False",
            "ALLOWED_HOSTS": "",
            "PORTAL_URL": self.portal_url,
            "DATABASE_URL": f"sqlite:///{self.folder / 'demo.sqlite3'}",
            "REDIS_URL": "",
            # collected once for all runs, where that can be kept
            "STATIC_ROOT": str(
                (settings.BASE_DIR if os.access(settings.BASE_DIR, os.W_OK) else self.folder) / ".static"
            ),
            "LEVER_CLIENT_ID": DEMO_CLIENT_ID,
            "LEVER_CLIENT_SECRET": DEMO_CLIENT_SECRET,
            "LEVER_ENVIRONMENT": "",
            "LEVER_AUTH_URL": self.lever.url,
            "LEVER_API_URL": f"{self.lever.url}/v1",
            "LEVER_AUDIENCE": f"{self.lever.url}/v1/",
            "LEVER_EU_AUTH_URL": self.lever.url,
            "LEVER_EU_API_URL": f"http://localhost:{self.lever_port}/v1",
            "CODESCREEN_API_URL": f"{self.codescreen.url}/api",
            "EMAIL_URL": "consolemail://",
            "SENTRY_DSN": "",
            "POLL_NOT_STARTED_SECONDS": "12",
            "POLL_IN_PROGRESS_SECONDS": "4",
            "WEB_WORKERS": "1",
            "Q_WORKERS": "2",
            "LOG_LEVEL": "WARNING",
            "LOG_FORMAT": "text",
        }

    def web_server(self) -> Program:
        """Return the portal's web server on this environment's port."""
        return web_server(HOST, self.port)

    def sandbox(self) -> Program:
        """Return the program that is both the sandbox's Lever and its CodeScreen."""
        argv = [sys.executable, "-m", "portal.devtools.sandbox"]
        argv += ["--lever-port", str(self.lever_port), "--codescreen-port", str(self.codescreen_port)]
        for uri in self.redirect_uris:
            argv += ["--redirect-uri", uri]
        return Program("sandbox", argv)


class Platforms:
    """Lever, CodeScreen and the mail server on the ports of an environment; they serve in threads while entered."""

    def __init__(self, environment: DemoEnvironment) -> None:
        self.lever = LeverSandbox(port=environment.lever_port, redirect_uris=environment.redirect_uris)
        self.codescreen = CodeScreenSandbox(port=environment.codescreen_port)
        write_certificate(environment.chat_certificate, SLACK)
        self.mail = MailSandbox(
            environment.mail_port, environment.smtp_port, environment.chat_port, environment.chat_certificate
        )

        self._servers = (self.lever, self.codescreen, self.mail)

    def __enter__(self) -> Self:
        for server in self._servers:
            server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.stop()
