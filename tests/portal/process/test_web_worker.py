"""The web server's processes: at TERM they end what is in flight, and nothing else keeps them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from portal.devtools.ports import free_port
from portal.devtools.process_table import descendants
from portal.devtools.waiting import wait_until
from portal.process.programs import GRACEFUL_SECONDS, web_server

pytestmark = pytest.mark.slow


class WebServer:
    """gunicorn as `serve` starts it, with an application of the test, or with the portal."""

    def __init__(
        self, application: str = "tests.portal.process.slow_application:application", **variables: str
    ) -> None:
        self.port = free_port()
        argv = list(web_server("127.0.0.1", self.port).argv)
        argv[argv.index("portal.wsgi:application")] = application
        environ = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings", "SECRET_KEY": "x" * 60}
        environ |= variables
        self.process = subprocess.Popen(argv, env=environ, cwd=settings.BASE_DIR)
        for _ in range(300):
            try:
                self.connect().close()
            except ConnectionRefusedError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the web server didn't start")

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def get(self, query: str) -> bytes:
        with self.connect() as client:
            client.sendall(f"GET /?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while part := client.recv(65536):
                answer += part
            return answer

    def stop(self) -> float:
        """Send TERM; return the seconds until the end."""
        began_at = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(GRACEFUL_SECONDS + 5) == 0
        return time.monotonic() - began_at


@pytest.fixture
def server() -> Iterator[WebServer]:
    running = WebServer()
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_a_request_in_flight_is_answered_after_term(server: WebServer) -> None:
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(server.get("3"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    took = server.stop()
    for thread in threads:
        thread.join()
    assert [answer[-4:] for answer in answers] == [b"done"] * 5
    assert took < 6


def test_clients_that_drip_or_do_nothing_keep_nothing_from_ending(server: WebServer) -> None:
    assert server.get("0").endswith(b"done")
    with server.connect() as dripping, server.connect():
        dripping.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n")
        assert server.stop() < 6


def test_a_request_that_never_ends_is_cut_off_in_time(server: WebServer) -> None:
    thread = threading.Thread(target=lambda: server.get("60"))
    thread.start()
    time.sleep(0.5)
    assert server.stop() < GRACEFUL_SECONDS + 3
    thread.join()


def wait_for_workers(server: WebServer) -> list[int]:
    """Return the processes of all workers, once each has begun."""

    def have_begun() -> bool:
        return len(descendants(server.process.pid)) == settings.WEB_WORKERS

    wait_until(have_begun, 30, "not every worker began")
    return list(descendants(server.process.pid))


def test_a_killed_worker_is_replaced(server: WebServer) -> None:
    workers = wait_for_workers(server)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    assert server.get("0").endswith(b"done")
    server.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_workers_end_with_the_process_that_started_them(server: WebServer) -> None:
    workers = descendants(server.process.pid)
    server.process.kill()
    server.process.wait()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}/exe").exists() for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_server_runs_in_an_interpreter_of_ours() -> None:
    assert web_server("::1", 8000).argv[0] == sys.executable
    assert "[::1]:8000" in web_server("::1", 8000).argv
