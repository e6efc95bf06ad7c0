"""nginx and Caddy, by the files of portal/docs/operating, in front of two stand-ins for nodes."""

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse

import pytest
import requests
from django.conf import settings
from werkzeug import Request, Response
from werkzeug.serving import BaseWSGIServer, make_server

from portal.devtools import proxies
from portal.devtools.processes import HOST, free_port, wait_until
from portal.middleware import _GIVEN_ID

pytestmark = [pytest.mark.proxies, pytest.mark.slow]

#: The largest body that the portal reads.
LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


class Node:
    """A stand-in for a node: it keeps the requests that it got, and answers with `status`, or never."""

    def __init__(self) -> None:
        self.port = free_port()
        self.status: int | None = 200
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.begun: list[str] = []
        self._server: BaseWSGIServer | None = None

    def start(self) -> None:
        self._server = make_server(HOST, self.port, self._answer, threaded=True)
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request, path = Request(environ), environ["REQUEST_URI"]
        if request.method == "POST":
            self.begun.append(path)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not path.startswith("/healthz/"):
            self.requests.append((path, headers, request.get_data()))
        while self.status is None:
            time.sleep(0.05)
        return Response(b"x" * 3000, self.status, content_type="text/html")(environ, start_response)


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    made = [Node(), Node()]
    for node in made:
        node.start()
    yield made
    for node in made:
        node.status = 200
        node.stop()


@pytest.fixture(params=["nginx", "caddy"])
def url(request: pytest.FixtureRequest, nodes: list[Node], tmp_path: Path) -> Iterator[str]:
    """The address of the proxy in front of the nodes."""
    argv = getattr(proxies, request.param)(
        tmp_path, port := free_port(), [f"{HOST}:{node.port}" for node in nodes]
    )
    with running(argv, port, tmp_path) as url:
        yield url


@pytest.fixture
def is_caddy(request: pytest.FixtureRequest) -> bool:
    """Whether the proxy looks at the nodes between the requests."""
    return bool(request.node.callspec.params["url"] == "caddy")


@contextlib.contextmanager
def running(argv: list[str], port: int, tmp_path: Path) -> Iterator[str]:
    """Run a proxy; its address."""
    proxy = subprocess.Popen(argv, stderr=subprocess.DEVNULL, env=os.environ | {"HOME": str(tmp_path)})
    try:
        wait_until(lambda: answer(f"http://{HOST}:{port}/") == 200, 30, "the proxy doesn't answer")
        yield f"http://{HOST}:{port}"
    finally:
        proxy.terminate()
        proxy.wait(timeout=30)


def answer(url: str, body: bytes | None = None) -> int:
    try:
        return requests.request("GET" if body is None else "POST", url, data=body, timeout=30).status_code
    except requests.ConnectionError:
        return 0


def test_a_request_goes_through_unchanged_with_the_clients_address_alone(url: str, nodes: list[Node]) -> None:
    body = bytes(range(256)) * 64
    forged = {
        "Host": "portal.example.com",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "gopher",
        "X-Request-ID": "theirs",
    }
    answered = requests.post(f"{url}/webhooks/lever/a?b=%2F", data=body, headers=forged, timeout=30)
    [(path, headers, received)] = [one for node in nodes for one in node.requests if one[0] != "/"]
    assert (path, received, headers["host"]) == ("/webhooks/lever/a?b=%2F", body, forged["Host"])
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-for"].rpartition(", ")[2] == HOST
    assert _GIVEN_ID.fullmatch(headers["x-request-id"])
    assert headers["x-request-id"] != forged["X-Request-ID"]
    assert "Content-Encoding" not in answered.headers
    assert len(answered.content) == 3000


def test_caddy_keeps_the_clients_address_that_a_proxy_before_it_adds(
    nodes: list[Node], tmp_path: Path
) -> None:
    argv = proxies.caddy(tmp_path, port := free_port(), [f"{HOST}:{node.port}" for node in nodes])
    file = tmp_path / "Caddyfile"
    text = file.read_text()
    assert "# trusted_proxies 10.0.0.0/8" in text
    file.write_text(text.replace("# trusted_proxies 10.0.0.0/8", "trusted_proxies 127.0.0.0/8"))
    with running(argv, port, tmp_path) as url:
        requests.get(f"{url}/a", headers={"X-Forwarded-For": "198.51.100.7"}, timeout=30)
    [headers] = [one[1] for node in nodes for one in node.requests if one[0] == "/a"]
    assert headers["x-forwarded-for"] == f"198.51.100.7, {HOST}"


def test_what_the_portal_would_refuse_does_not_reach_it(url: str, nodes: list[Node]) -> None:
    assert answer(f"{url}/accounts/login/", b"x" * (LIMIT - 1)) == 200
    assert answer(f"{url}/accounts/login/", b"x" * (LIMIT + 1)) in {413, 502}  # the latter by Caddy 2.6
    assert answer(f"{url}/metrics") == 404
    assert all(one[0] != "/metrics" for node in nodes for one in node.requests)


def test_a_body_that_comes_slowly_holds_no_thread_of_the_portal(url: str, nodes: list[Node]) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabcde")
        time.sleep(1)
        assert not any(node.begun for node in nodes)
        slow.sendall(b"fghij")
        wait_until(
            lambda: any(one[2] == b"abcdefghij" for node in nodes for one in node.requests), 10, "none"
        )


def test_no_request_is_refused_while_nodes_start_again_one_after_the_other(
    url: str, nodes: list[Node], is_caddy: bool
) -> None:
    # before 2.11.2, Caddy may lose a body that it gives to a second node: github.com/caddyserver/caddy/issues/7546
    accepted = {200, 502} if is_caddy else {200}
    for node in nodes:
        node.stop()
        answers = [answer(f"{url}/{path}", b"x") for path in ("webhooks/a", "candidates/") * 10]
        assert set(answers) <= accepted
        assert answers.count(502) < 5  # its next look at the node ends it
        node.start()
        time.sleep(1.5 if is_caddy else 0)  # its next look at the node
    assert [answer(f"{url}/webhooks/a", b"x") for _ in range(20)] == [200] * 20


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(503, id="accepts nothing"),
        pytest.param(None, id="frozen", marks=pytest.mark.nightly),
    ],
)
def test_a_node_that_accepts_nothing_loses_no_webhook(
    url: str, nodes: list[Node], is_caddy: bool, status: int | None
) -> None:
    nodes[0].status = status
    time.sleep(4.5 if is_caddy else 0)  # it looks at a node each second, and waits 3 s for its answer
    began = time.monotonic()
    assert [answer(f"{url}/webhooks/a", b"x") for _ in range(4)] == [200] * 4
    assert time.monotonic() - began < 4 * 9


def test_what_a_person_sent_is_given_to_one_node_alone(url: str, nodes: list[Node]) -> None:
    for node in nodes:
        node.status = 503
    assert answer(f"{url}/candidates/approve", b"x") == 503
    assert sum(one[0] == "/candidates/approve" for node in nodes for one in node.requests) <= 1
