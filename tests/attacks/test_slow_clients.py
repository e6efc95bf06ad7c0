"""Clients that send a byte now and then, or read none, take no thread from anybody else."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.attacks.serving import ServedPortal, served_portal

#: On a busy machine; a request that waited for one of these clients would wait for half a minute at least.
WITHIN_SECONDS = 10.0
HEAD = b"GET /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = (
    b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 100000\r\n\r\na="
)
CHUNKED = (
    b"POST /webhooks/lever/no-key/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nfff\r\n"
)
TOO_LARGE = (
    b"POST /webhooks/lever/no-key/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 60000000\r\n\r\n" + b"x" * 300_000
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPortal]:
    with served_portal(tmp_path_factory.mktemp("served")) as running:
        yield running


@contextmanager
def dripping(portal: ServedPortal, beginning: bytes, count: int) -> Iterator[None]:
    """Hold `count` connections that have sent the beginning of a request and go on byte by byte."""
    is_over = threading.Event()
    with ExitStack() as stack:
        sockets = []
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", portal.port), timeout=30))
            client.sendall(beginning)
            sockets.append(client)

        def drip() -> None:
            while not is_over.wait(0.5):
                for client in sockets:
                    try:
                        client.send(b"a")
                    except OSError:
                        continue

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


def assert_answers(portal: ServedPortal) -> None:
    for _ in range(4):
        for path in ("/healthz/live", "/healthz/ready", "/accounts/login/", "/static/portal.css"):
            assert portal.status(path, WITHIN_SECONDS) in {200, 404}
        time.sleep(0.5)


@pytest.mark.parametrize("count", [40, 200])
@pytest.mark.parametrize(
    "beginning",
    [HEAD, BODY, CHUNKED, TOO_LARGE, b""],
    ids=["head", "body", "chunked", "too large", "nothing"],
)
def test_probes_and_pages_answer_while_clients_drip(
    portal: ServedPortal, beginning: bytes, count: int
) -> None:
    with dripping(portal, beginning, count):
        assert_answers(portal)


def test_probes_and_pages_answer_while_clients_read_nothing(portal: ServedPortal) -> None:
    request = b"GET /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(40):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", portal.port), timeout=30))
            client.sendall(request * 50)
        assert_answers(portal)


def test_a_body_that_is_too_large_is_answered_to_a_client_that_sends_all_of_it(portal: ServedPortal) -> None:
    with socket.create_connection(("127.0.0.1", portal.port), timeout=20) as client:
        client.sendall(TOO_LARGE)
        for _ in range(10):
            client.sendall(b"x" * 1_000_000)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100).startswith(b"HTTP/1.1 404 ")


def test_what_follows_a_body_that_was_cut_is_no_request(portal: ServedPortal) -> None:
    hidden = b"GET /healthz/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", portal.port), timeout=20) as client:
        client.sendall(TOO_LARGE.partition(b"xxx")[0] + hidden * 100)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while part := client.recv(65536):
            answer += part
    assert answer.count(b"HTTP/1.1 ") == 1
