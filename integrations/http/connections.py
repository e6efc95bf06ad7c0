"""The connections to the platforms, which stay open between calls, and one request over such a connection."""

import os
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self, TypedDict

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import Retry
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util.ssl_ import create_urllib3_context

from integrations.http import deadlines
from integrations.http.json_values import JsonObject
from integrations.http.redirects import SessionWithoutRedirects, follow

#: Of customers and platforms whose connections a process keeps; the one that was called longest ago goes first.
MOST_SESSIONS = 64
#: A platform's own hosts, to which it may redirect, and the threads of a process.
HOSTS, CONNECTIONS_OF_HOST = 4, 16

_NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])

#: The platform's address, and the key of the organization.
type Customer = tuple[str, int]


@lru_cache(MOST_SESSIONS)
def _kept_session(_customer: Customer) -> requests.Session:
    return new_session()


#: Threads that call for the first time at once share one session: the cache alone would make one for each.
_making_session = threading.Lock()


def session_of(customer: Customer) -> requests.Session:
    """Return the session of one customer with one platform: any number of threads may use it at once."""
    with _making_session:
        return _kept_session(customer)


def forget_sessions() -> None:
    """Keep no session any more, and wait for no thread that was making one."""
    global _making_session  # noqa: PLW0603
    _making_session = threading.Lock()
    _kept_session.cache_clear()


# two processes on one connection would read each other's answers, and the parent's threads aren't here
os.register_at_fork(after_in_child=forget_sessions)


def new_session() -> requests.Session:
    """Return a session that keeps connections but no cookies; headers of a customer are given for each request."""
    session = SessionWithoutRedirects()
    session.trust_env = False
    session.cookies.set_policy(_NO_COOKIES)
    session.headers["User-Agent"] = "CodeScreen-Lever-Portal"
    session.headers["Accept"] = "application/json"
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(HOSTS, CONNECTIONS_OF_HOST, max_retries=_ONCE_MORE))
    return session


class _ClosedConnection(Retry):
    """Repeats a read whose connection the platform has closed, not one that isn't answered in time."""

    def increment(self, *args: Any, **options: Any) -> Self:
        error = options.get("error")
        if isinstance(error, ReadTimeoutError) or (error and deadlines.is_over()):
            raise error
        return super().increment(*args, **options)


#: An answer of any status is the row's to judge, which is tried again as the platform asks, at its turn.
_ONCE_MORE = _ClosedConnection(
    total=1,
    connect=0,
    read=1,
    redirect=0,
    status=0,
    other=0,
    allowed_methods={"GET", "HEAD"},
    respect_retry_after_header=False,
)


class _Adapter(HTTPAdapter):
    """Bounded connections by one TLS context: to read the authorities' certificates for each takes 5 ms and 1 MiB."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=tls_context())
        self.poolmanager.pool_classes_by_scheme = deadlines.POOLS

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:
        """Leave the pool as it is: its context verifies certificates."""


@cache
def tls_context() -> ssl.SSLContext:
    """Return the context of every connection to a platform; it requires a certificate that is valid for the host."""
    context = create_urllib3_context()
    context.load_verify_locations(os.fspath(DEFAULT_CA_BUNDLE_PATH))
    return context


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
    connection; a write isn't, since it may have been processed.
    """
    session = session_of(customer)

    def send(url: str) -> requests.Response:
        return session.request(
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
        deadlines.bounded(seconds_left, is_write=request.is_write),
        follow(send, request.url, is_write=request.is_write) as response,
    ):
        return response, deadlines.read_body(response, most_bytes=deadlines.MAX_BODY_BYTES)


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
