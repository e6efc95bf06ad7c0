"""`serve`, as an operator runs it, of this release or of one of the two that upgrade_rehearsal/ has."""

import os
import subprocess
import sys

import requests
from django.conf import settings

from portal.devtools.processes import HOST, RunFailed, descendants, free_port, processes, wait_until
from portal.process.supervisor import Program, Supervisor

GIVE_UP_SECONDS, START_SECONDS = 60.0, 180.0
BASE, EXPAND, CONTRACT = "", "expand", "contract"
#: The last migration of each release.
LAST_MIGRATIONS = {BASE: "0001", EXPAND: "0004"}
MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]


def _variables(release: str) -> dict[str, str]:
    """Return the variables that make a program that of a release."""
    module = "portal.devtools.upgrade_rehearsal.settings" if release else "portal.devtools.settings"
    return {"DJANGO_SETTINGS_MODULE": module, "PORTAL_REHEARSED_RELEASE": release}


def migrate_back(release: str, target: str, seconds: float) -> None:
    """Take the tables back from a release to those of the one before it. Raises RunFailed."""
    argv = [*MANAGE, "migrate", "integrations", LAST_MIGRATIONS[target]]
    environ = os.environ | _variables(release)
    if subprocess.run(argv, env=environ, stdout=2, timeout=seconds, check=False).returncode:
        raise RunFailed(f"migrating back from {release} failed; see --log")


class Serve:
    """One `serve` at a time, on a port."""

    def __init__(self) -> None:
        self.address = f"{HOST}:{free_port()}"
        self._running = Supervisor([])

    def start(self, release: str) -> None:
        """Start a release; return once it is ready. Raises RunFailed."""
        argv = [*MANAGE, "serve", "--port", self.address.partition(":")[2]]
        self._running = Supervisor([Program("serve", argv, _variables(release))])
        self._running.reconcile()
        wait_until(self._is_ready, START_SECONDS, f"{self.address} isn't ready")

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"http://{self.address}/healthz/ready", timeout=10).ok
        except requests.RequestException:
            return False

    def stop(self) -> None:
        """Send TERM and wait for the end. Raises RunFailed if it takes too long, or leaves anything running."""
        started = [pid for run in self._running.runs.values() for pid in (run.pid, *descendants(run.pid))]
        self._running.stop(GIVE_UP_SECONDS)
        if left := {one.pid for one in processes()}.intersection(started):
            raise RunFailed(f"serve left {len(left)} processes running after TERM")
