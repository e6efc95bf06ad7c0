"""Sending over one kept-alive connection, and what is recorded of it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.devtools.chaos.attacks.generator import Attempt
from portal.devtools.chaos.attacks.load_client import Answers, LoadClient


class StatusHandler(BaseHTTPRequestHandler):
    """Answers with the status that is the path; closes the connection without an answer at `/gone`."""

    protocol_version = "HTTP/1.1"
    connections: set[int] = set()

    def do_POST(self) -> None:
        self.connections.add(self.client_address[1])
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/gone":
            self.close_connection = True
            return
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    StatusHandler.connections = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), StatusHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def attempt(path: str, *expected: int) -> Attempt:
    return Attempt("kind", path, b"{}", {}, frozenset(expected))


def test_a_client_keeps_its_connection_and_records_every_answer(url):
    client = LoadClient(url)
    client.send_many(lambda: attempt("/401", 401), 20)
    assert len(StatusHandler.connections) == 1
    assert (client.answers.count, client.answers.wrong.total()) == (20, 0)
    assert client.answers.percentile_ms(401, 0.5) > 0


def test_an_unexpected_answer_is_recorded_by_its_kind(url):
    with LoadClient(url) as client:
        for path in ("/401", "/202", "/500", "/gone"):
            client.send(attempt(path, 401))
    assert client.answers.wrong == {"kind: 202": 1, "kind: 500": 1, "kind: broken connection": 1}


def test_a_closed_connection_is_opened_again(url):
    with LoadClient(url) as client:
        for path in ("/401", "/gone", "/401"):
            client.send(attempt(path, 401, 0))
    assert client.answers.wrong == {}
    assert len(StatusHandler.connections) == 3


def test_the_answers_of_several_clients_are_merged():
    merged = Answers()
    for seconds in (0.001, 0.002, 0.003):
        answers = Answers()
        answers.record(attempt("/", 401), 202, seconds)
        merged.merge(answers)
    assert (merged.count, merged.wrong) == (3, {"kind: 202": 3})
    assert [merged.percentile_ms(202, share) for share in (0.5, 0.99)] == pytest.approx([2.0, 3.0])
