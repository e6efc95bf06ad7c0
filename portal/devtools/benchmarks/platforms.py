"""The pretend platforms of a benchmark, as processes of their own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from portal.devtools.benchmarks.pretend_platforms import COUNT_PATH, NOTES_PATH, Call
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.waiting import wait_for_url


@dataclass(frozen=True)
class PretendPlatforms:
    """The addresses of a pretend Lever and a pretend CodeScreen, and what they were asked."""

    lever: str
    codescreen: str

    def lever_calls(self) -> list[Call]:
        """Return when Lever was asked what."""
        return _calls(self.lever)

    def codescreen_calls(self) -> list[Call]:
        """Return when CodeScreen was asked what."""
        return _calls(self.codescreen)

    def lever_count(self) -> int:
        """Return how many calls Lever has had: cheap enough to ask often."""
        return int(requests.get(self.lever + COUNT_PATH, timeout=10).json())


def _calls(url: str) -> list[Call]:
    return [(at, method, path) for at, method, path in requests.get(url + NOTES_PATH, timeout=60).json()]


@contextmanager
def pretend_platforms(environment: DemoEnvironment, seconds: float) -> Iterator[PretendPlatforms]:
    """Start both platforms on the environment's ports; each answers after so many seconds."""
    argv = [sys.executable, "-m", "portal.devtools.benchmarks.pretend_platforms"]
    ports = (environment.lever_port, environment.codescreen_port)
    processes = [subprocess.Popen([*argv, str(port), str(seconds)]) for port in ports]
    try:
        lever, codescreen = (f"http://127.0.0.1:{port}" for port in ports)
        for url in (lever, codescreen):
            wait_for_url(url + COUNT_PATH)
        yield PretendPlatforms(lever, codescreen)
    finally:
        for process in processes:
            process.kill()
            process.wait()
