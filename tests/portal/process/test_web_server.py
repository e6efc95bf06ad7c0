"""The web server's processes: what they refuse, and that they end what is in flight at TERM."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from portal.devtools.processes import free_port, wait_until
from portal.process.startup import web_server
from portal.process.supervisor import STOP_SECONDS
from tests.portal.process import slow_site

pytestmark = pytest.mark.slow

CHUNKED = b"Transfer-Encoding: chunked\r\n"


class WebServer:
    """The web server as `serve` starts it, with the site of the test, in a process group of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        one = web_server("127.0.0.1", self.port)
        argv = [*one.argv[:-1], "django.core.wsgi:get_wsgi_application()"]
        environ = {**os.environ, **one.env, "DJANGO_SETTINGS_MODULE": slow_site.__name__}
        self.process = subprocess.Popen(argv, env=environ, start_new_session=True)
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
