"""Knocking over one connection that is kept alive, and what is noted of it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.devtools.chaos.attack_sender import Attempt
from portal.devtools.chaos.load_client import Answers, Client, Knocker


class Door(BaseHTTPRequestHandler):
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
    Door.connections = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def attempt(path: str, *expected: int) -> Attempt:
    return Attempt("kind", path, b"{}", {}, frozenset(expected))


def test_a_client_keeps_its_connection_and_notes_every_answer(url):
    client = Client(url, lambda: attempt("/401", 401), 20)
    client.start()
    client.join()
    assert len(Door.connections) == 1
    assert (client.answers.count, client.answers.wrong.total()) == (20, 0)
    assert client.answers.percentile(401, 0.5) > 0


def test_an_answer_that_must_not_be_is_noted_by_its_kind(url):
    knocker = Knocker(url)
    for path in ("/401", "/202", "/500", "/gone"):
        knocker.knock(attempt(path, 401))
    knocker.close()
    assert knocker.answers.wrong == {"kind: 202": 1, "kind: 500": 1, "kind: broken connection": 1}


def test_a_connection_that_was_closed_meanwhile_is_opened_again(url):
    knocker = Knocker(url)
    for path in ("/401", "/gone", "/401"):
        knocker.knock(attempt(path, 401, 0))
    knocker.close()
    assert knocker.answers.wrong == {}
    assert len(Door.connections) == 3


def test_the_answers_of_all_clients_are_one_sum():
    whole = Answers()
    for seconds in (0.001, 0.002, 0.003):
        one = Answers()
        one.note(attempt("/", 401), 202, seconds)
        whole.add(one)
    assert (whole.count, whole.wrong) == (3, {"kind: 202": 3})
    assert [whole.percentile(202, share) for share in (0.5, 0.99)] == pytest.approx([2.0, 3.0])
