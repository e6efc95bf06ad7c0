"""The web server's connections: deadlines, bodies that are too large, room for new ones; without Django."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from portal.process import web_connection
from portal.process.web_connection import Connection
from portal.process.web_loop import EpollLoop, PollLoop, WebLoop
from portal.process.web_worker import Server

LIMIT = 10_000


@dataclass
class Running:
    """A server in this thread: it works only while a test lets it."""

    server: Server
    loop: WebLoop
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)

    def client(self) -> socket.socket:
        client = socket.create_connection(self.server.socket.getsockname(), timeout=0.05)
        self.work()
        return client

    def work(self, seconds: float = 0.2) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.loop.run_once(0.02)

    def answer(self, client: socket.socket) -> bytes:
        """Return all that the client is sent within a short time."""
        answer = b""
        for _ in range(10):
            self.work(0.05)
            with suppress(TimeoutError, ConnectionResetError):
                answer += client.recv(65536)
        return answer

    def is_open(self, seconds: float = 0.05) -> bool:
        self.work(seconds)
        return bool(self.server.active_channels)


@pytest.fixture(params=[EpollLoop, PollLoop])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(2)
    listening = socket.create_server(("127.0.0.1", 0))
    loop: WebLoop = request.param()
    seen: list[tuple[str, str, bytes]] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"].read()
        seen.append((environ["PATH_INFO"], environ.get("CONTENT_LENGTH", ""), body))
        content = b"y" * int(environ["QUERY_STRING"] or 2)
        start_response("200 OK", [("Content-Length", str(len(content)))])
        return [content]

    adjustments = Adjustments(
        sockets=[listening],
        max_request_body_size=LIMIT,
        inbuf_overflow=2 * LIMIT,
        cleanup_interval=0,
        asyncore_use_poll=True,
        ident=None,
    )
    server = Server(
        application,
        loop,
        _sock=listening,
        dispatcher=dispatcher,
        adj=adjustments,
        sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
        bind_socket=False,
    )
    yield Running(server, loop, seen)
    for item in list(loop.values()):
        item.close()
    dispatcher.set_thread_count(0)


def test_a_request_in_many_parts_is_one_request(running: Running) -> None:
    with running.client() as client:
        for part in (b"POST /a HTTP/1.1\r\nContent-Le", b"ngth: 4\r\n\r\nab", b"cd"):
            client.sendall(part)
            running.work(0.05)
        assert running.answer(client).endswith(b"\r\n\r\nyy")
    assert running.seen == [("/a", "4", b"abcd")]


def test_a_connection_serves_one_request_after_the_other(running: Running) -> None:
    with running.client() as client:
        for path in (b"/a", b"/b"):
            client.sendall(b"GET " + path + b" HTTP/1.1\r\n\r\n")
            assert running.answer(client).startswith(b"HTTP/1.1 200 OK")
    assert [path for path, _, _ in running.seen] == ["/a", "/b"]


CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n" + CHUNKED,
        b"POST /a HTTP/1.1\r\n" + CHUNKED + b"Content-Length: 4\r\n",
        b"POST /a HTTP/1.0\r\nContent-Length: 4\r\n" + CHUNKED,
        b"GET /a HTTP/1.1\r\nX-One: a\r\n b\r\n",
        b"POST /a HTTP/1.1\r\nContent-Length:\r\n\t4\r\n",
    ],
)
def test_what_a_proxy_might_read_as_another_request_is_refused_and_the_connection_ended(
    running: Running, head: bytes
) -> None:
    with running.client() as client:
        client.sendall(head + b"\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")
        answer = running.answer(client)
    assert answer.startswith((b"HTTP/1.1 400 Bad Request\r\n", b"HTTP/1.0 400 Bad Request\r\n"))
    assert b"Connection: close" in answer
    assert answer.count(b"HTTP/1.") == 1
    assert running.seen == []
    assert not running.is_open()


def test_a_chunked_body_alone_is_taken(running: Running) -> None:
    with running.client() as client:
        client.sendall(b"POST /a HTTP/1.1\r\n" + CHUNKED + b"\r\n4\r\nabcd\r\n0\r\n\r\n")
        assert running.answer(client).startswith(b"HTTP/1.1 200 OK")
    assert running.seen == [("/a", "4", b"abcd")]


def test_requests_that_arrive_at_once_are_answered_in_order(running: Running) -> None:
    with running.client() as client:
        client.sendall(b"GET /a?1 HTTP/1.1\r\n\r\nGET /b?3 HTTP/1.1\r\n\r\n")
        answer = running.answer(client)
    assert [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK")[1:]] == [b"y", b"yyy"]


def test_a_client_that_reads_slowly_gets_all_of_a_large_answer(running: Running) -> None:
    with running.client() as client:
        client.sendall(b"GET /?9000000 HTTP/1.1\r\nConnection: close\r\n\r\n")
        received, until = 0, time.monotonic() + 30
        while running.is_open(0.001) and time.monotonic() < until:
            with suppress(TimeoutError):
                received += len(client.recv(1_000_000))
        while part := client.recv(1_000_000):
            received += len(part)
    assert received > 9_000_000


@pytest.mark.parametrize("running", [EpollLoop], indirect=True)
def test_connections_at_rest_cost_a_request_nothing(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    wakes: list[object] = []
    asked: set[int] = set()
    readable = Connection.readable

    def note(connection: Connection) -> bool:
        asked.add(id(connection))
        return readable(connection)

    resting = [running.client() for _ in range(5)]
    monkeypatch.setattr(TcpWSGIServer, "pull_trigger", wakes.append)
    monkeypatch.setattr(Connection, "readable", note)
    with running.client() as client:
        for _ in range(2):
            client.sendall(b"GET /a HTTP/1.1\r\n\r\n")
            assert running.answer(client).startswith(b"HTTP/1.1 200 OK")
    assert len(running.seen) == 2
    assert wakes == []
    assert len(asked) == 1
    for one in resting:
        one.close()


@pytest.mark.parametrize("part", [b"GET / HTTP/1.1\r\nX-", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"])
def test_a_request_that_takes_too_long_is_ended_even_while_bytes_arrive(
    running: Running, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    monkeypatch.setattr(web_connection, "REQUEST_SECONDS", 0.5)
    with running.client() as client:
        client.sendall(part)
        for _ in range(3):
            running.work(0.1)
            client.sendall(b"a")
        assert running.is_open()
        running.work(0.4)
        assert not running.is_open()
    assert running.seen == []


def test_an_idle_connection_is_ended(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_connection, "IDLE_SECONDS", 0.2)
    with running.client():
        running.work(0.4)
        assert not running.is_open()


def test_a_client_that_reads_nothing_is_ended(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_connection, "STALLED_SECONDS", 0.3)
    with running.client() as client:
        client.sendall(b"GET /?9000000 HTTP/1.1\r\n\r\n")
        assert running.is_open()
        running.work(1)
        assert not running.is_open()


@pytest.mark.parametrize(
    "head", [f"Content-Length: {LIMIT}", f"Content-Length: {10 * LIMIT}", "Transfer-Encoding: chunked"]
)
def test_of_a_body_that_is_too_large_only_the_size_is_passed_on(running: Running, head: str) -> None:
    body = b"ffff\r\n" + b"x" * (2 * LIMIT)
    with running.client() as client:
        client.sendall(f"POST /a HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode() + body)
        answer = running.answer(client)
    [(path, length, received)] = running.seen
    assert (path, received) == ("/a", b"")
    assert int(length) >= LIMIT
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in answer


def test_a_client_that_asks_whether_to_send_a_large_body_gets_its_answer_at_once(running: Running) -> None:
    with running.client() as client:
        client.sendall(b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 99999\r\n\r\n")
        assert running.answer(client).startswith(b"HTTP/1.1 200 OK")


def test_the_rest_of_a_large_body_is_dropped_for_a_limited_time(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_connection, "LINGER_SECONDS", 0.3)
    with running.client() as client:
        client.sendall(b"POST /a HTTP/1.1\r\nContent-Length: 99999\r\n\r\nGET /b HTTP/1.1\r\n\r\n")
        assert running.answer(client).count(b"HTTP/1.1") == 1
        running.work(0.4)
        assert not running.is_open()
    assert [path for path, _, _ in running.seen] == ["/a"]


def test_a_new_connection_takes_the_place_of_the_one_that_has_waited_longest(running: Running) -> None:
    running.server.most_connections = 3
    waiting = [running.client() for _ in range(3)]
    waiting[0].sendall(b"GET / HTTP/1.1\r\nX-")
    running.work()
    with running.client() as newest:
        newest.sendall(b"GET /new HTTP/1.1\r\n\r\n")
        assert running.answer(newest).startswith(b"HTTP/1.1 200 OK")
    assert len(running.server.active_channels) <= 3
    for client in waiting:
        client.close()


def test_a_server_that_stops_accepting_finishes_what_it_has(running: Running) -> None:
    with running.client() as client:
        address = running.server.socket.getsockname()
        running.server.stop_accepting()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=0.2)
        client.sendall(b"GET /a HTTP/1.1\r\n\r\n")
        assert running.answer(client).startswith(b"HTTP/1.1 200 OK")
