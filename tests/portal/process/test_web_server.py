"""The web server's processes: what they refuse, that they are replaced, and that they end what is in flight at TERM."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from portal.devtools.processes import descendants, free_port, wait_until
from portal.process.startup import web_server
from portal.process.supervisor import STOP_SECONDS, Program, Supervisor
from tests.portal.process import slow_site

pytestmark = pytest.mark.slow

CHUNKED = b"Transfer-Encoding: chunked\r\n"


def is_listening(host: str, port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection((host, port), timeout=30):
        return True
    return False


def program(host: str, port: int, site: str) -> Program:
    """Return the web server as `serve` starts it, with the site of the test, or with the portal."""
    one = web_server(host, port)
    environ = {**one.env, "DJANGO_SETTINGS_MODULE": site, "SECRET_KEY": "0123456789" * 6}
    is_portal = site != slow_site.__name__
    return replace(
        one,
        argv=one.argv if is_portal else [*one.argv[:-1], "django.core.wsgi:get_wsgi_application()"],
        env=environ,
    )


class WebServer:
    """A running web server, in a process group of its own."""

    def __init__(self, site: str = slow_site.__name__, **variables: str) -> None:
        self.port = free_port()
        one = program("127.0.0.1", self.port, site)
        self.process = subprocess.Popen(
            one.argv, env={**os.environ, **one.env, **variables}, start_new_session=True
        )
        wait_until(lambda: is_listening("127.0.0.1", self.port), 30, "it doesn't listen", 0.001)
        wait_until(lambda: self.get("0"), 30, "the web server didn't start")

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def get(self, query: str) -> bytes:
        return self.send(f"GET /?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    def send(self, request: bytes) -> bytes:
        """Return all that is answered until the connection's end, nothing when there is none."""
        answer = b""
        with suppress(ConnectionError), self.connect() as client:
            client.sendall(request)
            while part := client.recv(65536):
                answer += part
        return answer

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> float:
        """Send TERM; return the seconds until the end."""
        began_at = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_SECONDS + 5) == 0
        return time.monotonic() - began_at


@pytest.fixture
def server() -> Iterator[WebServer]:
    running = WebServer()
    yield running
    running.kill()


def test_what_is_in_flight_is_answered_after_term_and_connections_at_rest_hold_nothing_up(
    server: WebServer,
) -> None:
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(server.get("3"))) for _ in range(5)]
    with server.connect() as kept:
        kept.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(65536).startswith(b"HTTP/1.1 200 OK")
        for thread in threads:
            thread.start()
        time.sleep(1)
        took = server.stop()
    for thread in threads:
        thread.join()
    assert [answer[-6:] for answer in answers] == [b"done 0"] * 5
    assert took < STOP_SECONDS / 2


@pytest.mark.nightly  # it waits until the time is over
def test_what_never_ends_is_cut_off_in_time(server: WebServer) -> None:
    thread = threading.Thread(target=server.get, args=["60"])
    thread.start()
    with server.connect() as dripping:
        dripping.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n")
        time.sleep(0.5)
        assert server.stop() < STOP_SECONDS
    thread.join()


#: What a proxy might read as two requests, with the answer's status.
AMBIGUOUS_HEADS = {
    b"POST /a HTTP/1.0\r\nContent-Length: 4\r\n" + CHUNKED: 400,
    b"GET /a HTTP/1.1\r\nX-One: a\r\n b\r\n": 400,
    b"POST /a HTTP/1.1\r\nContent-Length:\r\n\t4\r\n": 400,
    b"POST /a HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n": 400,
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n" + CHUNKED: 400,
    b"POST /a HTTP/1.1\r\nHost: x\r\n" + CHUNKED + b"Content-Length: 4\r\n": 400,
}


def test_after_what_is_too_large_or_a_proxy_might_read_as_another_request_the_connection_ends(
    server: WebServer, subtests: pytest.Subtests
) -> None:
    for head, status in AMBIGUOUS_HEADS.items():
        with subtests.test(str(head)):
            answer = server.send(head + b"\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
            assert int(answer.split()[1]) == status
            assert answer.count(b"HTTP/1.") == 1
    size = 100 * slow_site.DATA_UPLOAD_MAX_MEMORY_SIZE
    large = f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    assert server.send(large.encode() + b"x" * size).startswith(b"HTTP/1.1 400 Bad Request")


def supervised(host: str, port: int) -> Supervisor:
    return Supervisor([program(host, port, slow_site.__name__)])


def servers_processes() -> list[int]:
    """Return the processes of the web server that this one has started, the first before those that it forked."""
    found = descendants(os.getpid())
    return [pid for pid in found if b"\0gunicorn\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_all_processes_end_when_the_first_is_killed_and_are_started_again() -> None:
    port = free_port()
    with supervised("127.0.0.1", port) as supervisor:
        wait_until(lambda: is_listening("127.0.0.1", port), 30, "it doesn't listen")
        before = servers_processes()
        os.kill(before[0], signal.SIGKILL)

        def is_replaced() -> bool:
            supervisor.reconcile()
            return is_listening("127.0.0.1", port) and not set(before) & set(servers_processes())

        wait_until(is_replaced, 30, "it wasn't started again")
