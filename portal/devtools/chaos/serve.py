"""`manage.py serve` as an operator runs it: started, ended by TERM, started again."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.waiting import RunFailed, wait_for_url

GIVE_UP_SECONDS = 60.0


class Serve:
    """One `serve` at a time."""

    def __init__(self, environment: DemoEnvironment) -> None:
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return once the web server answers. Raises RunFailed."""
        argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve"]
        argv += ["--port", str(self._environment.port)]
        self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=2, start_new_session=True)
        wait_for_url(f"{self._environment.portal_url}/healthz/live")

    def terminate(self) -> float:
        """Send TERM and wait for the end; return the seconds it took. Raises RunFailed if anything is left running."""
        process = self._process
        if process is None:
            return 0.0
        everything = [process.pid, *descendants(process.pid)]
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(GIVE_UP_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise RunFailed("serve didn't end after TERM") from error
        self._process = None
        seconds = time.monotonic() - began
        if left := [pid for pid in everything if _is_alive(pid)]:
            raise RunFailed(f"serve left {len(left)} processes running")
        return seconds

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def descendants(pid: int) -> list[int]:
    """Return the processes that one has started, and those that they have started, and so on."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            parents[int(entry.name)] = int(stat[1])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def _is_alive(pid: int) -> bool:
    stat = _stat(pid)
    return bool(stat) and stat[0] != "Z"


def _stat(pid: int) -> list[str]:
    """Return a process's state, parent and so on; nothing when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
