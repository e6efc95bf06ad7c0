"""HTTP between the portal and the pretend platforms without sockets, while all of them are in this process.

A history is thousands of calls: so it is made in seconds, and one thing happens after another.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Self
from unittest import mock
from urllib.parse import urlsplit

import requests
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from requests.adapters import HTTPAdapter

from integrations.clients import models as client_models
from integrations.http import session
from integrations.store import database
from portal.devtools import databases
from portal.devtools.sandbox.connections import Ending
from portal.devtools.sandbox.messages import answer_of, body_of, platform_request
from portal.devtools.sandbox.server import SandboxServer


class PastClock:
    """Begins at a moment and is put forward by `go_to`; in between it goes on as fast as the true one."""

    def __init__(self, begin: datetime) -> None:
        self._travel = time_machine.travel(begin, tick=True)
        self._clock: time_machine.Traveller | None = None
        self._taken = 0.0
        self._measured = mock.patch.object(session, "time", SimpleNamespace(monotonic=self._monotonic))

    def __enter__(self) -> Self:
        connection.ensure_connection()
        databases.sqlite_follows_python(connection.connection)
        connection.connection.execute("PRAGMA synchronous = OFF")
        self._clock = self._travel.start()
        self._measured.start()
        _forget_readings()
        return self

    def __exit__(self, *_: object) -> None:
        self._measured.stop()
        self._travel.stop()  # from now on the functions tell the true time
        connection.close()
        _forget_readings()

    def take(self, seconds: float) -> None:
        """Let something take so many seconds more, also by the clock that measures the calls to the platforms."""
        if self._clock is not None:
            self._clock.shift(seconds)
            self._taken += seconds
            database.reset_clock()

    def _monotonic(self) -> float:
        return time.monotonic() + self._taken

    def go_to(self, moment: datetime) -> None:
        """Put the clock forward; it is left as it is when the moment has passed."""
        if self._clock is not None and moment > datetime.now(UTC):
            self._clock.move_to(moment)
            _forget_readings()


def _forget_readings() -> None:
    """Discard what the portal keeps of the time, and of a platform's answers, by the monotonic clock."""
    database.reset_clock()
    client_models.forget()


#: How long a platform takes to answer: least, most, and mostly.
ANSWER_SECONDS = (0.06, 0.55, 0.12)


@contextmanager
def local_network(
    servers: Sequence[SandboxServer], portal_url: str, clock: PastClock, chance: random.Random
) -> Iterator[None]:
    """Lead each request of this process by its host and port: to a pretend platform, or to the portal."""
    platforms = {urlsplit(server.url).netloc: server for server in servers}
    client = Client(HTTP_HOST=urlsplit(portal_url).netloc)

    def send(
        adapter: HTTPAdapter, request: requests.PreparedRequest, *_: Any, **__: Any
    ) -> requests.Response:
        platform = platforms.get(urlsplit(request.url or "").netloc)
        if platform is None:
            answer = _to_portal(client, request)
            return answer_of(adapter, request, answer.status_code, dict(answer.headers), answer.content)
        clock.take(chance.triangular(*ANSWER_SECONDS))
        built = platform_request(request)
        with built:
            exchange = platform.exchange(built)
        if exchange.response is None or exchange.ending is not Ending.SEND:
            raise requests.exceptions.ConnectionError("the connection ended without an answer")
        said = exchange.response
        return answer_of(adapter, request, said.status_code, dict(said.headers), said.get_data())

    with mock.patch.object(HTTPAdapter, "send", send):
        yield


def _to_portal(client: Client, request: requests.PreparedRequest) -> HttpResponse:
    headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
    kind = headers.pop("Content-Type", "")
    method, path = request.method or "", request.path_url
    answer: HttpResponse = client.generic(method, path, body_of(request), content_type=kind, headers=headers)  # type: ignore[assignment]
    return answer
