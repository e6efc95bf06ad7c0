"""Servers and processes of a run: ports for them, waits for them, threads, and what /proc says about processes."""

import fcntl
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port that nothing listens on, and claim it."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if claim_port(port):
            return port


def claim_port(port: int) -> bool:
    """Claim a port for this process, also after exec; False when it is in use or claimed by another run.

    The servers bind it only later: without the claim, two runs that start at once would both find it free.
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
    os.set_inheritable(lock, True)  # held until the process ends, which re-executes itself on the way
    return True


START_SECONDS = 180.0  # on a machine that is busy with much else
REQUEST_SECONDS = 60


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


def run_in_threads(targets: Iterable[Callable[[], object]]) -> None:
    """Run each function in a thread of its own and return when all have ended."""
    threads = [threading.Thread(target=target, name="client", daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


ENDED = "Z"


@dataclass(frozen=True)
class Process:
    """One process: its state is a letter, as in `ps`."""

    pid: int
    state: str
    parent: int
    group: int


def processes() -> Iterator[Process]:
    """Yield every process that hasn't ended."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group = path.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):  # it has ended meanwhile
            continue
        if state != ENDED:
            yield Process(int(path.parent.name), state, int(parent), int(group))


def members(group: int) -> dict[int, int]:
    """Return the ids of a group's processes, each with its parent's id."""
    return {one.pid: one.parent for one in processes() if one.group == group}


def leaves(parents: dict[int, int], group: int) -> list[int]:
    """Return the processes of a group that do its work: those without children of their own."""
    with_children = set(parents.values())
    return [pid for pid in parents if pid not in with_children and pid != group]


def descendants(pid: int) -> list[int]:
    """Return the processes that one has started, and those that they have started, and so on."""
    parents = {one.pid: one.parent for one in processes()}
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(groups: Iterable[int]) -> float:
    """Return the CPU seconds of all processes of these process groups, with those of their ended children."""
    total = 0.0
    for pid in (pid for group in groups for pid in members(group)):
        with suppress(OSError):  # it has ended, and its parent counts it
            total += sum(_cpu_times(pid))
    return total


def _cpu_times(pid: int) -> list[float]:
    """Return the process's user and system time so far in seconds, then both of its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(ticks) / TICKS for ticks in fields[11:15]]
