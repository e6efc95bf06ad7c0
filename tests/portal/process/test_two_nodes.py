"""Two nodes on one database: each replaces its own cluster, whatever the other does."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from portal.devtools.processes import Process, descendants, free_port, processes

ROOT = Path(__file__).resolve().parents[3]
# generous: the machine may be busy, and what never happens never happens in a longer time either
REPLACED_SECONDS = 90
START_SECONDS = 90

pytestmark = pytest.mark.slow


class Node:
    """One running `serve`."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], database: Path) -> None:
        self.name = name
        self.process = process
        self.database = database

    def clusters(self) -> dict[int, list[Process]]:
        """Return the processes of each cluster of workers by group, without the guard."""
        ours = set(descendants(self.process.pid))
        groups: dict[int, list[Process]] = {}
        for item in processes():
            if item.pid in ours and "qcluster" in _command(item.pid):
                groups.setdefault(item.group, []).append(item)
        return groups

    def working_cluster(self) -> int | None:
        """Return the group of the only cluster once all of its processes have started."""
        groups = {group: members for group, members in self.clusters().items() if len(members) >= 6}
        return next(iter(groups)) if len(groups) == 1 else None

    def leaves(self, group: int) -> list[int]:
        """Return the cluster's processes without children: its workers, and the two that fetch and record."""
        members = self.clusters()[group]
        parents = {item.parent for item in members}
        return sorted(item.pid for item in members if item.pid not in parents)

    def last_beat(self) -> float:
        """Return when one of the node's workers last made progress."""
        query = "SELECT MAX(unixepoch(at, 'subsec')) FROM integrations_heartbeat WHERE node = ?"
        with closing(sqlite3.connect(self.database)) as connection:
            (at,) = connection.execute(query, [self.name]).fetchone()
        return float(at or 0.0)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def wait_until[Value](read: Callable[[], Value | None], seconds: float) -> Value:
    deadline = time.monotonic() + seconds
    while not (value := read()):
        assert time.monotonic() < deadline, "the condition never became true"
        time.sleep(0.1)
    return value


@contextmanager
def serving(name: str, environ: dict[str, str], database: Path) -> Iterator[Node]:
    argv = [sys.executable, "manage.py", "serve", "--port", str(free_port())]
    process = subprocess.Popen(argv, cwd=ROOT, env=environ | {"PORTAL_NODE": name}, stderr=subprocess.DEVNULL)
    try:
        yield Node(name, process, database)
    finally:
        process.terminate()
        process.wait(40)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    folder = tmp_path_factory.mktemp("nodes")
    database = folder / "nodes.sqlite3"
    environ = os.environ | {
        "PORTAL_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": "0123456789" * 6,
        "FIELD_ENCRYPTION_KEYS": "x" * 43 + "=",
        "DATABASE_URL": f"sqlite:///{database}",
        "REDIS_URL": "",
        "WEB_WORKERS": "1",
        "Q_WORKERS": "2",
    }
    with ExitStack() as stack:
        first = stack.enter_context(serving("first", environ, database))
        wait_until(first.working_cluster, START_SECONDS)
        second = stack.enter_context(serving("second", environ, database))
        wait_until(second.working_cluster, START_SECONDS)
        for node in (first, second):
            wait_until(node.last_beat, START_SECONDS)
        yield first, second


def freeze_cluster(node: Node, group: int) -> None:
    os.killpg(group, signal.SIGSTOP)


def freeze_a_worker(node: Node, group: int) -> None:
    os.kill(node.leaves(group)[0], signal.SIGSTOP)


def has_another_cluster(node: Node, group: int) -> bool:
    return bool(set(node.clusters()) - {group})


def has_worked_since(node: Node, moment: float) -> bool:
    return node.last_beat() > moment


def test_a_frozen_cluster_and_a_frozen_worker_are_replaced_while_the_other_node_works(
    nodes: tuple[Node, Node],
) -> None:
    node, other = nodes
    others = wait_until(other.working_cluster, START_SECONDS)
    for harm in (freeze_cluster, freeze_a_worker):
        group = wait_until(node.working_cluster, START_SECONDS)
        harm(node, group)
        wait_until(partial(has_another_cluster, node, group), REPLACED_SECONDS)
    assert other.working_cluster() == others


def test_a_node_goes_on_when_an_idle_worker_was_killed_while_the_other_node_works(
    nodes: tuple[Node, Node],
) -> None:
    node, _ = nodes
    for number in range(2):
        group = wait_until(node.working_cluster, START_SECONDS)
        os.kill(node.leaves(group)[number % 2], signal.SIGKILL)
        killed_at = time.time()
        # a beat just after the kill may still be of a worker that waits for the queue from now on
        wait_until(partial(has_worked_since, node, killed_at + 2), REPLACED_SECONDS)
