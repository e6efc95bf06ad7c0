"""`serve`, as an operator runs it."""

import os
import signal
import subprocess
import sys
import time

from django.conf import settings

from portal.devtools.processes import HOST, RunFailed, descendants, processes, wait_for_url

GIVE_UP_SECONDS = 60.0


class Serve:
    """One `serve` at a time, on a port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **variables: str) -> None:
        """Start it, with these variables changed; return once the web server answers. Raises RunFailed."""
        argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=2,
            start_new_session=True,
            env={**os.environ, **variables},
        )
        wait_for_url(f"http://{HOST}:{self.port}/healthz/live")

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
        if left := {one.pid for one in processes()}.intersection(everything):
            raise RunFailed(f"serve left {len(left)} processes running")
        return seconds

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
