"""A web server and workers as two `serve`: what they say of each other; that each goes on, and ends soon."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import requests

from portal.devtools.processes import descendants, free_port, processes, wait_until
from tests.support.metrics import TOKEN

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 180
#: What a proxy might read as the head of another request.
AMBIGUOUS_HEAD = (
    b"POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
)

pytestmark = pytest.mark.slow


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "PORTAL_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": "0123456789" * 6,
        "FIELD_ENCRYPTION_KEYS": "x" * 43 + "=",
        "DATABASE_URL": f"sqlite:///{tmp_path}/portal.sqlite3",
        "REDIS_URL": "",
        "WEB_WORKERS": "2",
        "Q_WORKERS": "1",
        "METRICS_TOKEN": TOKEN,
    }


@contextmanager
def serve(environ: dict[str, str], node: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "manage.py", "serve", *arguments]
    process = subprocess.Popen(argv, cwd=ROOT, env=environ | {"PORTAL_NODE": node})
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def probe(port: int, name: str) -> tuple[int, dict[str, str]]:
    """Return status and parts of a probe's answer; status 0 while nothing listens."""
    try:
        answer = requests.get(f"http://127.0.0.1:{port}/healthz/{name}", timeout=10)
    except requests.ConnectionError:
        return 0, {}
    return answer.status_code, answer.json().get("parts", {})


def metrics(port: int) -> str:
    """Return what one of the web server's processes says of them all; nothing while none answers."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with suppress(requests.ConnectionError):
        return requests.get(f"http://127.0.0.1:{port}/metrics", headers=headers, timeout=10).text
    return ""


def kill_one_of_the_web_servers_processes(pid: int) -> None:
    """Kill the one that was forked last."""
    found = {one: Path(f"/proc/{one}/cmdline").read_bytes() for one in descendants(pid)}
    os.kill(max(one for one, command in found.items() if b"gunicorn" in command), signal.SIGKILL)


def answer_to(port: int, request: bytes) -> bytes:
    """Return all that is answered until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(request)
        return b"".join(iter(partial(client.recv, 65536), b""))


def test_a_web_server_alone_speaks_for_all_its_processes_and_of_the_workers_elsewhere(
    environ: dict[str, str],
) -> None:
    port = free_port()
    with serve(environ, "web-1", "--web", "--port", str(port)) as web:
        wait_until(lambda: probe(port, "ready")[0] == 200, START_SECONDS, "it wasn't ready")
        for _ in range(40):
            assert requests.get(f"http://127.0.0.1:{port}/accounts/login/", timeout=30).status_code == 200
        counted = 'portal_request_seconds_count{status="200",view="account_login"} 40.0'
        assert {counted in metrics(port) for _ in range(10)} == {True}  # whichever process answers
        kill_one_of_the_web_servers_processes(web.pid)
        wait_until(lambda: counted in metrics(port), 30, "what the killed process counted is lost")
        assert probe(port, "work")[1]["workers"] == "silent"
        smuggled = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        answer_to_both = answer_to(port, AMBIGUOUS_HEAD + smuggled)
        assert answer_to_both.startswith(b"HTTP/1.1 400")
        assert answer_to_both.count(b"HTTP/1.") == 1
        with serve(environ, "workers-1", "--workers") as workers:
            wait_until(lambda: probe(port, "work")[0] == 200, START_SECONDS, "the workers didn't work")
            workers.send_signal(signal.SIGTERM)
            assert workers.wait(30) == 0
        web.send_signal(signal.SIGTERM)
        assert web.wait(30) == 0
        assert probe(port, "live")[0] == 0


def cluster_of(pid: int) -> dict[str, int] | None:
    """Return the processes of the workers of a `serve` by what they are, once all of them have started."""
    ours = set(descendants(pid))
    found = sorted(one.pid for one in processes() if one.pid in ours and is_cluster(one.pid))
    names = ("main", "sentinel", "worker 1", "worker 2", "monitor", "pusher")
    return dict(zip(names, found, strict=True)) if len(found) == len(names) else None


def is_cluster(pid: int) -> bool:
    with suppress(OSError):
        return b"\0qcluster\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def works_after(environ: dict[str, str], moment: float) -> bool:
    """Whether one of the workers has made progress since."""
    query = "SELECT MAX(unixepoch(at, 'subsec')) FROM integrations_heartbeat"
    database = environ["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(database)) as connection, suppress(sqlite3.OperationalError):
        return float(connection.execute(query).fetchone()[0] or 0.0) > moment
    return False


@pytest.mark.nightly
def test_workers_go_on_when_one_of_their_processes_is_killed_or_what_hands_out_tasks_suspended(
    environ: dict[str, str],
) -> None:
    environ["Q_WORKERS"] = "2"
    with serve(environ, "workers-1", "--workers") as workers:
        wait_until(lambda: works_after(environ, 0), START_SECONDS, "no worker began to work")
        for name, number in (
            ("sentinel", signal.SIGKILL),
            ("main", signal.SIGKILL),
            ("pusher", signal.SIGSTOP),
        ):
            cluster = wait_until(lambda: cluster_of(workers.pid), START_SECONDS, "the workers didn't start")
            os.kill(cluster[name], number)
            # a beat just after the kill may still be of a worker that waits for the queue from now on
            after = time.time() + 2
            wait_until(partial(works_after, environ, after), START_SECONDS, "nobody works any more")
    assert workers.returncode == 0
    assert not [one for one in processes() if one.parent == workers.pid]
