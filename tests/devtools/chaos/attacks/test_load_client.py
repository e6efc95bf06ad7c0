"""Sending over one kept-alive connection, and when a difference in time counts as measurable."""

import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from portal.devtools.chaos.attacks.generator import Attempt
from portal.devtools.chaos.attacks.load_client import (
    Answers,
    Difference,
    LoadClient,
    compare,
    is_confirmed,
    sign_test,
)

NOISE = random.Random(1)


def noisy(shift: float, count: int = 1000, spread: float = 200.0) -> Difference:
    return Difference(tuple(NOISE.gauss(shift, spread) for _ in range(count)))


@pytest.mark.parametrize(
    ("longer", "shorter", "p"),
    [(0, 0, 1.0), (5, 5, 1.0), (0, 1, 1.0), (0, 5, 0.0625), (5, 0, 0.0625), (1, 9, 0.021484375)],
)
def test_the_sign_test_is_exact(longer, shorter, p):
    assert sign_test(longer, shorter) == pytest.approx(p)


def test_the_sign_test_copes_with_thousands_of_pairs():
    assert sign_test(2000, 2000) == 1.0
    assert 0.01 < sign_test(1930, 2070) < 0.05
    assert sign_test(1800, 2200) < 1e-9


def test_noise_is_confirmed_apart_from_a_difference():
    assert not noisy(0).is_measurable
    assert noisy(60).is_measurable
    assert noisy(-60).is_measurable
    assert not noisy(5, count=4000, spread=10).is_measurable  # real, and of no use to anybody
    assert not noisy(60, count=5).is_measurable
    assert not Difference(()).is_measurable


@pytest.mark.parametrize(
    ("shifts", "expected"), [((60,), False), ((60, 60), True), ((60, 0), False), ((60, -60), False)]
)
def test_a_difference_is_confirmed_by_two_passes_in_the_same_direction(shifts, expected):
    assert is_confirmed([noisy(shift) for shift in shifts]) is expected


def test_pairs_are_sent_in_either_order_and_compared_first_to_last():
    sent: list[str] = []

    def make_pair() -> Any:
        def send(name: str, seconds: float) -> float:
            sent.append(name)
            return seconds

        return lambda: send("first", 0.003), lambda: send("last", 0.001)

    difference = compare(make_pair, 40, random.Random(1))
    assert difference.median == pytest.approx(2000)
    assert (sent.count("first"), sent.count("last")) == (40, 40)
    assert 5 < sent[::2].count("first") < 35


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
