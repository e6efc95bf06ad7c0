"""The connections to the platforms, kept open between calls, and one request over such a connection."""

import os
import re
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypedDict

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    SSLError,
)
from urllib3.util.ssl_ import create_urllib3_context

from integrations.http import deadlines
from integrations.http.deadlines import Watch
from integrations.http.json_values import JsonObject
from integrations.http.redirects import SessionWithoutRedirects, follow

#: Well below the time after which servers close an idle connection, usually a minute. A request that meets the closing
#: gets no answer, and nobody knows whether it was processed.
IDLE_SECONDS = 15.0
#: The same for writes, which can't be repeated then: less than what the most impatient servers wait, five seconds.
IDLE_SECONDS_FOR_WRITES = 2.0
#: A busy connection is replaced too, so that a platform's new addresses are found.
LONGEST_LIFE_SECONDS = 300.0
MOST_IDLE = 64
LOOK_EVERY_SECONDS = 1.0

_NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])
_ANNOUNCED = re.compile(r"timeout=(\d+)", re.IGNORECASE)

#: The platform's address, and the key of the organization.
type Customer = tuple[str, int]


class PlatformConnection:
    """A connection of one customer to one platform. It keeps no cookies, and headers are given for each request."""

    def __init__(self) -> None:
        self.http = SessionWithoutRedirects()
        self.http.trust_env = False
        self.http.cookies.set_policy(_NO_COOKIES)
        self.http.headers["User-Agent"] = "CodeScreen-Lever-Portal"
        self.http.headers["Accept"] = "application/json"
        self.adapter = _PlatformAdapter()
        for scheme in ("http://", "https://"):
            self.http.mount(scheme, self.adapter)
        self.is_reused = False
        self._opened_at = self._idle_since = time.monotonic()
        self._announced_seconds = IDLE_SECONDS

    def note_answer(self, headers: Mapping[str, str]) -> None:
        """Note for how long the platform says it keeps the connection open (RFC 2068 §19.7.1.1: Keep-Alive)."""
        announced = _ANNOUNCED.search(headers.get("Keep-Alive", ""))
        self._announced_seconds = int(announced[1]) - 1.0 if announced else IDLE_SECONDS

    def begin_idling(self) -> None:
        """Note that the call on it has ended."""
        self.is_reused = True
        self._idle_since = time.monotonic()

    def is_fit(self, *, is_write: bool) -> bool:
        """Whether another call may be made on it. One that the platform has closed by now is opened again."""
        now = time.monotonic()
        longest = min(IDLE_SECONDS_FOR_WRITES if is_write else IDLE_SECONDS, self._announced_seconds)
        return now - self._idle_since < longest and now - self._opened_at < LONGEST_LIFE_SECONDS


class KeptConnections(Watch):
    """This process's idle connections. The one used last is used first, so that the others become too old."""

    def __init__(self) -> None:
        super().__init__(LOOK_EVERY_SECONDS)
        #: In the order in which they became idle.
        self._idle: list[tuple[Customer, PlatformConnection]] = []

    @contextmanager
    def use(self, customer: Customer, *, is_write: bool) -> Iterator[PlatformConnection]:
        """Have a connection for one call, open already if one is fit. After an error it is closed."""
        connection = self._taken(customer, is_write) or PlatformConnection()
        try:
            yield connection
        except BaseException:
            connection.http.close()
            raise
        connection.begin_idling()
        self._keep(customer, connection)

    def close_all(self) -> None:
        with self.lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.http.close()

    def _taken(self, customer: Customer, is_write: bool) -> PlatformConnection | None:
        with self.lock:
            for position in range(len(self._idle) - 1, -1, -1):
                if self._idle[position][0] == customer:
                    if not self._idle[position][1].is_fit(is_write=is_write):
                        return None  # those before it have been idle for longer
                    return self._idle.pop(position)[1]
        return None

    def _keep(self, customer: Customer, connection: PlatformConnection) -> None:
        with self.lock:
            self._idle.append((customer, connection))
            surplus = self._idle.pop(0)[1] if len(self._idle) > MOST_IDLE else None
            self.begin()
        if surplus is not None:
            surplus.http.close()

    def look(self) -> bool:
        """Close the connections that have been idle for too long; return whether any is left."""
        fit = [kept for kept in self._idle if kept[1].is_fit(is_write=False)]
        for kept in self._idle:
            if kept not in fit:
                kept[1].http.close()
        self._idle = fit
        return bool(fit)

    def forget(self) -> None:
        """Leave the parent's connections to it: two processes on one would read each other's answers."""
        self._idle = []


class _PlatformAdapter(deadlines.DeadlineAdapter):
    """Connections by one TLS context: to read the authorities' certificates for each takes 5 ms."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=tls_context())

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:
        """Leave the pool as it is: its context verifies certificates."""


@cache
def tls_context() -> ssl.SSLContext:
    """Return the context of every connection to a platform; it requires a certificate that is valid for the host."""
    context = create_urllib3_context()
    context.load_verify_locations(os.fspath(DEFAULT_CA_BUNDLE_PATH))
    return context


kept_connections = KeptConnections()

#: The query's names and values; a name may come several times.
type Params = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Upload:
    """A file, sent as the part `file` of a multipart form."""

    name: str
    content: bytes
    content_type: str


class Sent(TypedDict, total=False):
    """What a request carries, as it is handed from a client to its session."""

    params: Params
    payload: JsonObject | None
    form: Mapping[str, str]
    upload: Upload | None


@dataclass(frozen=True, repr=False)  # its headers and forms hold secrets
class Request:
    """One request: its body is JSON, a form, a file or nothing."""

    method: str
    url: str
    headers: Mapping[str, str] | None = None
    params: Params = ()
    payload: JsonObject | None = None
    form: Mapping[str, str] | None = None
    upload: Upload | None = None

    @property
    def files(self) -> dict[str, tuple[str, bytes, str]] | None:
        """The parts of the multipart form, None for another body."""
        one = self.upload
        return {"file": (one.name, one.content, one.content_type)} if one else None

    @property
    def is_write(self) -> bool:
        return self.method not in {"GET", "HEAD"}


def exchange(customer: Customer, request: Request, started: float) -> tuple[requests.Response, bytes]:
    """Return the answer and its whole body. Raises requests.RequestException when there is none in time.

    A redirect to another host of the platform is followed; of any other LedElsewhere is raised.

    `started` is when the call began, by the monotonic clock. A read is repeated when the platform has closed the
    connection since the call before; a write isn't, since it may have been processed.
    """
    while True:
        may_be_closed = False
        try:
            with kept_connections.use(customer, is_write=request.is_write) as connection:
                may_be_closed = connection.is_reused
                return _exchange_on(connection, request, started)
        except requests.exceptions.ConnectionError as error:
            ended_without_answer = bool(error.args) and isinstance(error.args[0], ProtocolError)
            if request.is_write or not may_be_closed or not ended_without_answer:
                raise


def _exchange_on(
    connection: PlatformConnection, request: Request, started: float
) -> tuple[requests.Response, bytes]:
    def send(url: str) -> requests.Response:
        return connection.http.request(
            request.method,
            url,
            params=request.params if url == request.url else None,  # a redirect's address has its own
            json=request.payload,
            data=request.form,
            files=request.files,
            headers=request.headers,
            timeout=(deadlines.CONNECT_SECONDS, deadlines.READ_SECONDS),
            allow_redirects=False,
            stream=True,
        )

    seconds_left = deadlines.TOTAL_SECONDS - (time.monotonic() - started)
    with (
        connection.adapter.bounded(seconds_left),
        follow(send, request.url, is_write=request.is_write) as response,
    ):
        body = deadlines.read_body(
            response,
            started,
            most_bytes=deadlines.MAX_BODY_BYTES,
            most_seconds=deadlines.TOTAL_SECONDS,
        )
        connection.note_answer(response.headers)
        return response, body


def was_never_sent(error: requests.RequestException) -> bool:
    """Whether the request certainly did not leave: no connection was made."""
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.InvalidURL)):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(reason, SSLError):
        # a certificate is checked before anything is sent; other TLS errors may come later
        return isinstance(reason.args[0] if reason.args else None, ssl.SSLCertVerificationError)
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError, NameResolutionError))
