"""Waiting with a deadline, for something in another process to become true."""

import time
from collections.abc import Callable

import requests

START_SECONDS = 60.0
REQUEST_SECONDS = 10


class RunFailed(Exception):
    """A demo, benchmark or chaos run can't go on: a part of it doesn't answer in time, or not as expected."""


def wait_until[Value](
    read: Callable[[], Value | None], seconds: float, failure: str, every: float = 0.1
) -> Value:
    """Return the first truthy value that is read. Raises RunFailed with `failure` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := read()):
        if time.monotonic() > deadline:
            raise RunFailed(failure)
        time.sleep(every)
    return value


def wait_for_url(url: str) -> None:
    """Return once an address answers, with any status. Raises RunFailed."""

    def answers() -> bool:
        try:
            requests.get(url, timeout=REQUEST_SECONDS)
        except requests.RequestException:
            return False
        return True

    wait_until(answers, START_SECONDS, f"{url} doesn't answer")
