"""Bounds on a call: how long connecting, reading and all of it may take, how long its connection may have been at rest,
and how large the answer may be.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

CONNECT_SECONDS = 5.0
READ_SECONDS: float = settings.PLATFORM_READ_SECONDS
#: Less than the supervisor waits for a call in flight before it kills the workers.
TOTAL_SECONDS = CONNECT_SECONDS + READ_SECONDS
MAX_BODY_BYTES = 8 * 1024 * 1024
#: Well below the time after which servers close a connection at rest, mostly a minute. A request that meets the closing
#: gets no answer, and nobody knows whether it was processed.
REST_SECONDS = 15.0
#: The same for writes, which can't be repeated then: less than what the most impatient servers wait, five seconds.
REST_SECONDS_FOR_WRITES = 2.0


@dataclass(eq=False)
class _Call:
    """A call in flight: its socket once it has one, and for how long that may have been at rest."""

    longest_rest: float
    socket: Any = None
    is_over: bool = False

    def end(self) -> None:
        """Shut the connection down, so that a caller who waits for an answer gets an error."""
        self.is_over = True
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


_current: ContextVar[_Call | None] = ContextVar("the call in flight", default=None)


@contextmanager
def bounded(seconds: float, *, is_write: bool) -> Iterator[None]:
    """End the call within after so many seconds, and raise ReadTimeout then: a partial answer could look complete.

    The read time-out of requests alone starts again with every byte received.
    """
    call = _Call(REST_SECONDS_FOR_WRITES if is_write else REST_SECONDS)
    token = _current.set(call)
    timer = threading.Timer(seconds, call.end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _current.reset(token)
        if call.is_over:
            raise requests.exceptions.ReadTimeout("the answer took too long")


def is_over() -> bool:
    """Whether the time of the call in flight is."""
    call = _current.get()
    return call is not None and call.is_over


class _Bounded(HTTPConnection):
    """A connection that ends with its call, and that the pool opens again when it has been at rest for too long."""

    _used_at = 0.0

    @property
    def is_connected(self) -> bool:
        call = _current.get()
        longest = call.longest_rest if call else 0.0
        return time.monotonic() - self._used_at < longest and super().is_connected

    def request(self, *args: Any, **options: Any) -> None:
        """Send a request."""
        super().request(*args, **options)
        self._used_at = time.monotonic()
        if call := _current.get():
            call.socket = self.sock  # kept: urllib3 drops it while an answer is still being read


class _BoundedOverTLS(_Bounded, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _PoolOverTLS(HTTPSConnectionPool):
    ConnectionCls = _BoundedOverTLS


POOLS = {"http": _Pool, "https": _PoolOverTLS}


def read_body(response: requests.Response, *, most_bytes: int) -> bytes:
    """Return the body of an answer. Raises RequestException when it is too large."""
    body = bytearray()
    for chunk in response.iter_content(65536):
        body += chunk
        if len(body) > most_bytes:
            raise requests.exceptions.ContentDecodingError("the answer is too large")
    return bytes(body)
