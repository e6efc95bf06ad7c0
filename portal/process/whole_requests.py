"""Lets a thread care for a request once it has arrived completely, whatever ASGI server reads it.

A server reads and writes all connections of a process in one thread. So a client that sends or reads slowly costs a
little memory, and no thread that answers requests.
"""

import asyncio
import codecs
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, HTTPScope
from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters

#: Django's WSGI handler, which returns the answer itself.
type Handler = Callable[[dict[str, Any], StartResponse], HttpResponseBase]

#: Of each process; each thread keeps its database connection.
THREADS = 8
#: Probes that have a thread of their own: all others may wait for a database that has fallen silent. The first asks no
#: database and no Redis, the second is answered in time whatever the database does.
PROBES = ("/healthz/live", "/healthz/ready")
#: How long a body may take to arrive completely: 256 KiB, the largest webhook, at 9 KiB a second.
BODY_SECONDS = 30.0
#: How long the rest of a body that is too large is read and dropped, so that its sender can read the answer.
DROP_SECONDS = 5.0
#: So much of an answer is kept until its client reads it. Of a longer one the thread waits for the client to read on.
KEPT_BYTES = 1024 * 1024
STALLED_SECONDS = 60.0


class WholeRequests:
    """The ASGI application that has threads run Django's WSGI application, for any ASGI server."""

    def __init__(self, application: Handler) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(THREADS)
        self._threads_of_probes = {path: ThreadPoolExecutor(1) for path in PROBES}

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer one request; one whose body doesn't arrive in time by 408, one that breaks off by 400."""
        try:
            body, size = await _read_body(scope, receive)
        except (TimeoutError, ConnectionError) as error:
            is_late = isinstance(error, TimeoutError)
            status = HTTPStatus.REQUEST_TIMEOUT if is_late else HTTPStatus.BAD_REQUEST
            await _send_all(send, [_head(status, []), _part(b"")])
            return
        loop = asyncio.get_running_loop()

        def push(events: list[ASGISendEvent]) -> None:
            asyncio.run_coroutine_threadsafe(_send_all(send, events), loop).result(STALLED_SECONDS)

        threads = self._threads_of_probes.get(scope["path"], self._threads)
        rest = await loop.run_in_executor(threads, self._answer, _environ(scope, body, size), push)
        await _send_all(send, rest)

    def _answer(
        self, environ: dict[str, Any], push: Callable[[list[ASGISendEvent]], None]
    ) -> list[ASGISendEvent]:
        """Return what is to be sent; of a long answer the end, after the rest was pushed."""
        unsent: list[ASGISendEvent] = []
        kept = bytearray()

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: object = None, /
        ) -> Callable[[bytes], object]:
            unsent.append(_head(int(status[:3]), headers))
            return kept.extend

        answer = self._application(environ, start_response)
        try:
            for part in answer:
                kept += part
                if len(kept) >= KEPT_BYTES:
                    push([*unsent, _part(bytes(kept), more=True)])
                    unsent.clear()
                    kept.clear()
        finally:
            answer.close()
        return [*unsent, _part(bytes(kept))]


async def _read_body(scope: HTTPScope, receive: ASGIReceiveCallable) -> tuple[bytes, int]:
    """Return the body and its size. Of one that is too large nothing is kept: its size decides about the answer.

    Raises TimeoutError, and ConnectionError when the client has broken off; neither for one that is too large.
    """
    stated = int(dict(scope["headers"]).get(b"content-length", 0))
    body, size, is_kept, has_more = bytearray(), 0, True, True
    try:
        async with asyncio.timeout(BODY_SECONDS) as end:
            while has_more:
                if is_kept and max(stated, size) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                    is_kept = False
                    body.clear()
                    end.reschedule(asyncio.get_running_loop().time() + DROP_SECONDS)
                event = await receive()
                if event["type"] != "http.request":
                    raise ConnectionError
                size += len(event["body"])
                if is_kept:
                    body += event["body"]
                has_more = event["more_body"]
    except (TimeoutError, ConnectionError):
        if is_kept:
            raise
    return bytes(body), max(stated, size)


def _environ(scope: HTTPScope, body: bytes, size: int) -> dict[str, Any]:
    """Return a request as WSGI has it."""
    host, port = scope["server"] or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
    }
    for raw_name, raw_value in scope["headers"]:
        # with an underscore a client's own X_Forwarded_For would pass for the proxy's X-Forwarded-For
        if b"_" in raw_name or raw_name == b"content-length":
            continue
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        name = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        environ[name] = f"{environ[name]},{value}" if name in environ else value
    environ["CONTENT_LENGTH"] = str(size)
    try:
        _, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        codecs.lookup(parameters.get("charset", "utf-8"))
    except LookupError:
        pass  # Django goes by UTF-8
    except ValueError:  # Django would raise it while nothing can answer yet
        environ["CONTENT_TYPE"] = ""
    return environ


def _head(status: int, headers: list[tuple[str, str]]) -> ASGISendEvent:
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": encoded, "trailers": False}


def _part(body: bytes, *, more: bool = False) -> ASGISendEvent:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _send_all(send: ASGISendCallable, events: list[ASGISendEvent]) -> None:
    for event in events:
        await send(event)
