"""Runs `serve` as an operator does, in a process of its own, for attacks over real sockets."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings

from portal.devtools.processes import free_port
from portal.process.supervisor import STOP_SECONDS

START_SECONDS = 90


@dataclass
class ServedPortal:
    """A running portal: its port, its process and the folder that holds all its files."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def temporary_folder(self) -> Path:
        """The folder for temporary files."""
        return self.folder / "tmp"

    def status(self, path: str, seconds: float) -> int:
        """Return the status of the answer to GET. Raises OSError when there is none within the time."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=seconds) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


@contextmanager
def served_portal(folder: Path, **variables: str) -> Iterator[ServedPortal]:
    """Run `serve` with an empty database; end it by TERM, and fail if it doesn't end in time."""
    port = free_port()
    (folder / "tmp").mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environ |= {
        "PORTAL_ENV_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
        "SECRET_KEY": "0123456789" * 6,
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "TMPDIR": str(folder / "tmp"),
        "WEB_WORKERS": "2",
        "Q_WORKERS": "1",
    } | variables
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, env=environ, stdout=log, stderr=log, start_new_session=True)
    portal = ServedPortal(port, process, folder)
    try:
        _wait_until_served(portal)
        yield portal
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS + 3)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def _wait_until_served(portal: ServedPortal) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert portal.process.poll() is None, (portal.folder / "log").read_text()
        assert time.monotonic() < deadline
        try:
            portal.status("/healthz/live", 5)
        except OSError:
            time.sleep(0.2)
        else:
            return
