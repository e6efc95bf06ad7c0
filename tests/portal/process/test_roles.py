"""A web server and workers as two `serve`: what they say of each other, and that each ends soon."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import requests

from portal.devtools.processes import descendants, free_port, wait_until
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
