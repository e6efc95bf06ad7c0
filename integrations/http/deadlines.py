"""Bounds on a call: how long connecting, reading and the whole call may take, and how large an answer may be."""

import logging
import os
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any
from weakref import WeakSet, ref

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

logger = logging.getLogger(__name__)


class Watch(ABC):
    """Looks at something `every` so many seconds, in a thread that ends when there is nothing left.

    What is looked at is changed under `lock` alone, and `begin` is called under it after something was added.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self.lock = threading.Lock()
        self._is_watching = False
        os.register_at_fork(after_in_child=self._begin_anew)

    @abstractmethod
    def look(self) -> bool:
        """Look once, under the lock; return whether there is something to look at later."""

    @abstractmethod
    def forget(self) -> None:
        """Forget, in a process just forked, what is its parent's to look at."""

    def begin(self) -> None:
        """Start the thread unless it runs. Raises RuntimeError when the machine has no room for it."""
        if not self._is_watching:
            threading.Thread(target=self._watch, daemon=True).start()
            self._is_watching = True

    def _watch(self) -> None:
        pause = threading.Event()  # never set: `time.sleep` would move a clock that a test pretends
        while True:
            pause.wait(self._every)
            with self.lock:
                try:
                    is_needed = self.look()
                except Exception:  # without the thread no call would be bounded
                    logger.exception("what is watched could not be looked at; it is tried again")
                    is_needed = True
                if not is_needed:
                    self._is_watching = False
                    return

    def _begin_anew(self) -> None:
        self.lock = threading.Lock()  # the parent's may have been held by another thread
        self._is_watching = False
        self.forget()


CONNECT_SECONDS = 5.0
READ_SECONDS: float = settings.PLATFORM_READ_SECONDS
#: Less than the supervisor waits for a call in flight before it kills the workers.
TOTAL_SECONDS = CONNECT_SECONDS + READ_SECONDS
MAX_BODY_BYTES = 8 * 1024 * 1024
LOOK_EVERY_SECONDS = 0.1


class DeadlineAdapter(HTTPAdapter):
    """An adapter that can bound a whole call: the read time-out of requests starts again with every byte received."""

    def __init__(self) -> None:
        self._connections: WeakSet[HTTPConnection] = WeakSet()
        # kept beside the connections: urllib3 drops a connection's socket while its answer is still being read
        self._sockets: WeakSet[Any] = WeakSet()
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return the pool as requests does, and keep track of the connections that it makes.

        No reference cycle is made, so that a connection that isn't kept is closed at once: the garbage collector would
        run only after thousands of them.
        """
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = partial(_make, type(pool).ConnectionCls, self._connections, self._sockets)
        return pool

    @contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        """Shut down all connections after this many seconds (to 0.1 s), and raise ReadTimeout then.

        Without the error a partial answer could look complete.
        """
        call = _Call(monotonic() + seconds, self)
        try:
            _calls_in_flight.add(call)
            yield
        finally:
            _calls_in_flight.remove(call)
            if call.is_over:
                raise requests.exceptions.ReadTimeout("the answer took too long")

    def shut_down(self) -> None:
        """Shut down all connections, so that a caller who waits for an answer gets an error."""
        connecting = [connection.sock for connection in list(self._connections) if connection.sock]
        for open_socket in [*connecting, *self._sockets]:
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)


@dataclass(eq=False)
class _Call:
    """A call in flight: until when, by the monotonic clock, and on whose connections."""

    ends_at: float
    adapter: DeadlineAdapter
    is_over: bool = False


class _CallsInFlight(Watch):
    """All calls of this process, watched by one thread: a timer of its own for each would cost more than the rest."""

    def __init__(self) -> None:
        super().__init__(LOOK_EVERY_SECONDS)
        self._calls: set[_Call] = set()

    def add(self, call: _Call) -> None:
        """Shut the call's connections down when its time is over."""
        with self.lock:
            self._calls.add(call)
            self.begin()

    def remove(self, call: _Call) -> None:
        """Leave the call's connections alone from now on: the next call may be under way on them."""
        with self.lock:
            self._calls.discard(call)

    def look(self) -> bool:
        """Shut down what is over; return whether any call is in flight."""
        now = monotonic()
        for call in self._calls:
            if now >= call.ends_at:
                call.is_over = True
                call.adapter.shut_down()
        return bool(self._calls)

    def forget(self) -> None:
        """Forget the parent's calls; their connections are its own."""
        self._calls.clear()


_calls_in_flight = _CallsInFlight()


def _make(
    kind: Callable[..., Any], connections: WeakSet[Any], sockets: WeakSet[Any], *args: Any, **options: Any
) -> Any:
    connection = kind(*args, **options)
    connection.connect = partial(_connect, ref(connection), sockets)
    connections.add(connection)
    return connection


def _connect(reference: Callable[[], Any], sockets: WeakSet[Any]) -> None:
    connection = reference()
    type(connection).connect(connection)
    sockets.add(connection.sock)


def read_body(response: requests.Response, started: float, *, most_bytes: int, most_seconds: float) -> bytes:
    """Return the body of an answer. Raises RequestException when it is too large or took too long."""
    body = bytearray()
    for chunk in response.iter_content(65536):
        body += chunk
        if len(body) > most_bytes:
            raise requests.exceptions.ContentDecodingError("the answer is too large")
        if time.monotonic() - started > most_seconds:
            raise requests.exceptions.ReadTimeout("the answer took too long")
    return bytes(body)
