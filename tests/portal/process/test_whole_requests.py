"""Requests are given to a thread when they are complete, and answers are sent without one; here without a server."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.types import StartResponse

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from portal.process import whole_requests
from portal.process.whole_requests import PROBES, THREADS, WholeRequests

LIMIT = 1000

type Event = dict[str, Any]


@pytest.fixture(autouse=True)
def small_limit(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT


class Site:
    """A WSGI application that notes what it is asked."""

    def __init__(self, answer: Callable[[dict[str, Any]], HttpResponseBase]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answer = answer

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> HttpResponseBase:
        self.asked.append(environ)
        answer = self._answer(environ)
        start_response("202 Accepted", [("X-One", "ü"), ("Set-Cookie", "a"), ("Set-Cookie", "b")])
        return answer


def echo(environ: dict[str, Any]) -> HttpResponse:
    return HttpResponse(environ["wsgi.input"].read())


def in_a_loop[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: tests with a browser leave a running loop in the main thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def part(body: bytes, *, more: bool = True) -> Event:
    return {"type": "http.request", "body": body, "more_body": more}


async def ask(
    application: WholeRequests,
    *events: Event,
    path: bytes = b"/a",
    headers: Sequence[tuple[bytes, bytes]] = (),
    sent: list[Event] | None = None,
) -> list[Event]:
    """Send one request in these parts, and nothing more after them; return what was answered."""
    answered = [] if sent is None else sent
    left = list(events)

    async def receive() -> Event:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    async def send(event: Event) -> None:
        answered.append(event)

    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": path.decode(errors="replace"),
        "raw_path": path,
        "query_string": b"x=1",
        "http_version": "1.1",
        "headers": headers,
        "client": ("192.0.2.1", 5),
        "server": ("127.0.0.1", 8000),
    }
    wire: Any = (receive, send)
    await application(scope, *wire)
    return answered


WHOLE = part(b"", more=False)


def test_a_request_in_many_parts_is_given_on_when_it_is_complete():
    site = Site(echo)
    application = WholeRequests(site)

    async def run() -> list[Event]:
        incomplete = asyncio.create_task(ask(application, part(b"ab")))
        found = await ask(application, part(b"ab"), part(b"cd", more=False))
        assert not incomplete.done()
        incomplete.cancel()
        return found

    start, body = in_a_loop(run())
    assert (start["status"], body["body"], body["more_body"]) == (202, b"abcd", False)
    assert [environ["CONTENT_LENGTH"] for environ in site.asked] == ["4"]


def test_an_answers_fields_are_bytes_in_their_order():
    start, _ = in_a_loop(ask(WholeRequests(Site(echo)), WHOLE))
    assert start["headers"] == [(b"x-one", b"\xfc"), (b"set-cookie", b"a"), (b"set-cookie", b"b")]


def test_what_is_asked_is_passed_on_as_wsgi_has_it():
    site = Site(echo)
    headers = [
        (b"host", b"x"),
        (b"content-type", b"text/plain"),
        (b"content-length", b"0"),
        (b"x-forwarded-for", b"192.0.2.7"),
        (b"x-forwarded-for", b"192.0.2.8"),
        (b"x_forwarded_for", b"192.0.2.9"),
        (b"x-forwarded_proto", b"https"),
    ]
    in_a_loop(ask(WholeRequests(site), WHOLE, path=b"/%C3%BC%ff", headers=headers))
    (environ,) = site.asked
    del environ["wsgi.input"]
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/\xc3\xbc\xff",
        "QUERY_STRING": "x=1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "http",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "0",
        "HTTP_HOST": "x",
        "HTTP_X_FORWARDED_FOR": "192.0.2.7,192.0.2.8",
    }


@pytest.mark.parametrize(
    ("sent", "content_type"),
    [
        (b"application/json; charset=none-such", "application/json"),
        (b"application/json; charset*=bogus''x", ""),
        (b"application/json; charset*=utf-8''%00", ""),
        (b"application/json;" + b" " * 11_000, ""),
    ],
)
def test_a_content_type_that_django_cannot_parse_counts_as_none(sent, content_type):
    answer = WholeRequests(Site(lambda environ: HttpResponse(WSGIRequest(environ).content_type)))
    start, body = in_a_loop(ask(answer, WHOLE, headers=[(b"content-type", sent)]))
    assert (start["status"], body["body"]) == (202, content_type.encode())


@pytest.mark.parametrize(("stated", "size"), [(LIMIT + 1, LIMIT + 1), (None, 2 * LIMIT)])
def test_of_a_body_that_is_too_large_only_the_size_is_passed_on(stated, size):
    site = Site(echo)
    headers = [(b"content-length", str(stated).encode())] if stated else []
    parts = [part(b"x" * LIMIT), part(b"x" * (size - LIMIT)), WHOLE]
    _, body = in_a_loop(ask(WholeRequests(site), *parts, headers=headers))
    assert body["body"] == b""
    assert site.asked[0]["CONTENT_LENGTH"] == str(size)


@pytest.mark.parametrize(("rest", "status"), [([], 408), ([{"type": "http.disconnect"}], 400)])
def test_a_body_that_takes_too_long_or_breaks_off_is_not_passed_on(monkeypatch, rest, status):
    monkeypatch.setattr(whole_requests, "BODY_SECONDS", 0.0 if status == 408 else 5.0)
    site = Site(echo)
    start, body = in_a_loop(ask(WholeRequests(site), part(b"x"), *rest))
    assert (start["status"], body["body"], site.asked) == (status, b"", [])


@pytest.mark.parametrize("rest", [[], [{"type": "http.disconnect"}]])
def test_the_rest_of_a_body_that_is_too_large_is_not_waited_for(monkeypatch, rest):
    monkeypatch.setattr(whole_requests, "DROP_SECONDS", 0.0)
    site = Site(echo)
    start, _ = in_a_loop(ask(WholeRequests(site), part(b"x" * 2 * LIMIT), *rest))
    assert start["status"] == 202
    assert [environ["CONTENT_LENGTH"] for environ in site.asked] == [str(2 * LIMIT)]


def test_a_long_answer_is_sent_while_it_is_made(monkeypatch):
    monkeypatch.setattr(whole_requests, "KEPT_BYTES", 4)
    sent: list[Event] = []

    def stream(_: object) -> StreamingHttpResponse:
        def parts():
            yield from (b"ab", b"cd")
            assert [event.get("body") for event in sent] == [None, b"abcd"]
            yield b"e"

        return StreamingHttpResponse(parts())

    in_a_loop(ask(WholeRequests(Site(stream)), WHOLE, sent=sent))
    assert [(event.get("body"), event.get("more_body")) for event in sent] == [
        (None, None),
        (b"abcd", True),
        (b"e", False),
    ]


def test_an_answer_is_closed_when_its_client_reads_nothing(monkeypatch):
    monkeypatch.setattr(whole_requests, "KEPT_BYTES", 1)
    monkeypatch.setattr(whole_requests, "STALLED_SECONDS", 0.0)
    answer = HttpResponse(b"ab")

    class Stalled(list[Event]):
        def append(self, event: Event) -> None:
            raise AssertionError("nothing can be sent")

    async def run() -> None:
        await ask(WholeRequests(Site(lambda _: answer)), WHOLE, sent=Stalled())

    with pytest.raises((TimeoutError, AssertionError)):
        in_a_loop(run())
    assert answer.closed


def test_probes_are_answered_while_all_threads_wait():
    may_end = threading.Event()

    def wait(environ: dict[str, Any]) -> HttpResponse:
        if environ["PATH_INFO"] == "/a":
            may_end.wait()
        return HttpResponse()

    async def run() -> None:
        application = WholeRequests(Site(wait))
        waiting = [asyncio.create_task(ask(application, WHOLE)) for _ in range(2 * THREADS)]
        for path in PROBES:
            assert await ask(application, WHOLE, path=path.encode())
        assert not any(task.done() for task in waiting)
        may_end.set()
        await asyncio.gather(*waiting)

    in_a_loop(run())
