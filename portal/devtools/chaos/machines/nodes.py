"""The portal's nodes of the run on several machines: each runs `serve`, as web server or as workers."""

import signal
import sys
import time
from enum import StrEnum

import requests
from django.conf import settings

from integrations.queue.models.nodes import Heartbeat
from integrations.store import database
from portal.devtools.chaos import releases
from portal.devtools.chaos.machines.network import Machine
from portal.devtools.chaos.quiesce import read_with_retry
from portal.devtools.processes import wait_until

PORT = 8000
READY_SECONDS, END_SECONDS = 120.0, 60.0


class Role(StrEnum):
    """What a node does."""

    WEB = "web"
    WORKERS = "workers"


class Node:
    """One node on its machine."""

    def __init__(self, machine: Machine, role: Role) -> None:
        self.machine = machine
        self.address = f"{machine.address}:{PORT}"
        self._role = role
        self._release = releases.BASE
        self._main = 0

    def start(self, release: str | None = None) -> None:
        """Start `serve` of a release, by default the one it had; return once it is ready. Raises RunFailed."""
        self._release = self._release if release is None else release
        began = read_with_retry(database.now)
        argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve", f"--{self._role}"]
        listen = ["--host", self.machine.address, "--port", str(PORT)] if self._role is Role.WEB else []
        variables = {**releases.variables(self._release), "PORTAL_NODE": self.machine.name}
        self._main = self.machine.start([*argv, *listen], variables).pid
        failure = f"{self.machine.name} isn't ready"
        if self._role is Role.WEB:
            wait_until(self._is_ready, READY_SECONDS, failure)
            return
        beats = Heartbeat.objects.filter(node=self.machine.name, at__gt=began)
        wait_until(lambda: read_with_retry(beats.exists), READY_SECONDS, failure, every=0.5)

    def terminate(self) -> float:
        """Send TERM, and wait until nothing of it is left; return the seconds it took. Raises RunFailed."""
        began = time.monotonic()
        self.machine.send([self._main], signal.SIGTERM)
        wait_until(
            lambda: not self.machine.processes(), END_SECONDS, f"{self.machine.name} didn't end after TERM"
        )
        return time.monotonic() - began

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"http://{self.address}/healthz/ready", timeout=10).ok
        except requests.RequestException:
            return False
