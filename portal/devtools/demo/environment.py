"""Where a demo takes place: ports, a folder that goes with it, and the environment of all its programs."""

import base64
import fcntl
import os
import secrets
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from portal.devtools.sandbox.lever.server import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from portal.process.supervisor import Program

FOLDER = "PORTAL_DEMO_FOLDER"
HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port that nothing listens on, and claim it."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if claim(port):
            return port


def claim(port: int) -> bool:
    """Claim a port for this process and what it becomes; False when it is in use or claimed by another demo.

    Our servers bind it only later, and two demos that start at once would both find it free until then.
    """
    lock = os.open(
        Path(tempfile.gettempdir()) / f"codescreen-lever-port-{port}.lock", os.O_CREAT | os.O_RDWR, 0o666
    )
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError:
        os.close(lock)
        return False
    os.set_inheritable(lock, True)  # held until the process ends, which goes on in another environment
    return True


@dataclass(frozen=True)
class Stage:
    """The addresses of one demo."""

    port: int
    lever_port: int
    codescreen_port: int

    @classmethod
    def choose(cls, port: int | None) -> Self:
        """Return ports claimed for this process; the portal's own is the one asked for, else 8000, else any."""
        if port is None:
            port = 8000 if claim(8000) else free_port()
        return cls(port, free_port(), free_port())

    @classmethod
    def from_environment(cls) -> Self:
        """Return the ports that `environment()` passed on."""
        ports = os.environ["PORTAL_DEMO_PORTS"].split(",")
        return cls(*(int(port) for port in ports))

    @property
    def portal_url(self) -> str:
        """Where people sign in."""
        return f"http://{HOST}:{self.port}"

    @property
    def lever_url(self) -> str:
        """The pretend Lever."""
        return f"http://{HOST}:{self.lever_port}"

    @property
    def codescreen_url(self) -> str:
        """The pretend CodeScreen."""
        return f"http://{HOST}:{self.codescreen_port}"

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the environment of a demo: everything of its own, nothing of the machine's."""
        return {
            FOLDER: str(folder),
            "PORTAL_DEMO_PORTS": f"{self.port},{self.lever_port},{self.codescreen_port}",
            "PORTAL_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "DEBUG": "False",
            "ALLOWED_HOSTS": "",
            "PORTAL_URL": self.portal_url,
            "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
            "REDIS_URL": "",
            "STATIC_ROOT": str(folder / "static"),
            "LEVER_CLIENT_ID": DEMO_CLIENT_ID,
            "LEVER_CLIENT_SECRET": DEMO_CLIENT_SECRET,
            "LEVER_AUTH_URL": self.lever_url,
            "LEVER_API_URL": f"{self.lever_url}/v1",
            "LEVER_AUDIENCE": f"{self.lever_url}/v1/",
            "CODESCREEN_API_URL": f"{self.codescreen_url}/api",
            "EMAIL_URL": "consolemail://",
            "SENTRY_DSN": "",
            "POLL_NOT_STARTED_SECONDS": "4",
            "POLL_IN_PROGRESS_SECONDS": "4",
            "WEB_WORKERS": "1",
            "Q_WORKERS": "2",
            "LOG_LEVEL": "WARNING",
            "LOG_FORMAT": "text",
        }

    def sandbox(self) -> Program:
        """Return the program that pretends to be both platforms."""
        argv = [sys.executable, "-m", "portal.devtools.sandbox"]
        argv += ["--lever-port", str(self.lever_port), "--codescreen-port", str(self.codescreen_port)]
        for host in (HOST, "localhost"):
            argv += ["--redirect-uri", f"http://{host}:{self.port}/oauth/complete/lever/"]
        return Program("sandbox", argv)
