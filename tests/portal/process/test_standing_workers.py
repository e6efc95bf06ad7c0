"""A running `serve` goes on, whichever process of its workers was killed, or was suspended so that all stand still."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from django.conf import settings

from portal.devtools.processes import Process, descendants, free_port, processes, wait_until

# generous: the machine may be busy, and what never happens never happens in a longer time either
SECONDS = 180

pytestmark = pytest.mark.slow


class Node:
    """One running `serve`."""

    def __init__(self, folder: Path) -> None:
        self._database = folder / "portal.sqlite3"
        environ = os.environ | {
            "PORTAL_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "SECRET_KEY": "0123456789" * 6,
            "FIELD_ENCRYPTION_KEYS": "x" * 43 + "=",
            "DATABASE_URL": f"sqlite:///{self._database}",
            "REDIS_URL": "",
            "WEB_WORKERS": "1",
            "Q_WORKERS": "2",
        }
        argv = [sys.executable, "manage.py", "serve", "--port", str(free_port())]
        self.process = subprocess.Popen(argv, cwd=settings.BASE_DIR, env=environ, stderr=subprocess.DEVNULL)

    def cluster(self) -> dict[str, Process] | None:
        """Return the processes of the workers by what they are, once all of them have started."""
        ours = set(descendants(self.process.pid))
        found = sorted(
            (one for one in processes() if one.pid in ours and is_cluster(one.pid)), key=lambda one: one.pid
        )
        names = ("main", "sentinel", "worker 1", "worker 2", "monitor", "pusher")
        return dict(zip(names, found, strict=True)) if len(found) == len(names) else None

    def works_after(self, moment: float) -> bool:
        """Whether one of the workers has made progress since."""
        query = "SELECT MAX(unixepoch(at, 'subsec')) FROM integrations_heartbeat"
        with closing(sqlite3.connect(self._database)) as connection, suppress(sqlite3.OperationalError):
            return float(connection.execute(query).fetchone()[0] or 0.0) > moment
        return False


def is_cluster(pid: int) -> bool:
    with suppress(OSError):
        return b"\0qcluster\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    running = Node(tmp_path_factory.mktemp("node"))
    try:
        wait_until(lambda: running.works_after(0), SECONDS, "no worker began to work")
        yield running
    finally:
        running.process.terminate()
        assert running.process.wait(40) == 0
        assert not [one for one in processes() if one.parent == running.process.pid]


@pytest.mark.parametrize(
    "name",
    [
        "sentinel",
        "main",
        *(pytest.param(name, marks=pytest.mark.nightly) for name in ("worker 1", "pusher", "monitor")),
    ],
)
def test_a_node_goes_on_when_a_process_was_killed(node: Node, name: str) -> None:
    cluster = wait_until(node.cluster, SECONDS, "the workers didn't start")
    os.kill(cluster[name].pid, signal.SIGKILL)
    # a beat just after the kill may still be of a worker that waits for the queue from now on
    after = time.time() + 2
    wait_until(lambda: node.works_after(after), SECONDS, "nobody works any more")


def test_a_node_goes_on_when_what_hands_out_tasks_was_suspended(node: Node) -> None:
    cluster = wait_until(node.cluster, SECONDS, "the workers didn't start")
    os.kill(cluster["pusher"].pid, signal.SIGSTOP)
    after = time.time() + 2
    wait_until(lambda: node.works_after(after), SECONDS, "nobody works any more")
