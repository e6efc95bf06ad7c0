"""How the portal speaks HTTP to a platform: time-outs, errors by meaning, a pacer before and an observer after."""

import json
import re
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from weakref import WeakSet

import requests
from django.conf import settings
from django.utils import timezone
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, SSLError

CONNECT_SECONDS = 5.0
READ_SECONDS: float = settings.PLATFORM_READ_SECONDS
TOTAL_SECONDS = READ_SECONDS + 10.0
MAX_BODY_BYTES = 8 * 1024 * 1024
KEPT_BODY_CHARACTERS = 4000

_PERSONAL = re.compile(
    r"(e-?mails?|first_?name|last_?name|name|phones?|headline|location|links?|text|value|company)$",
    re.IGNORECASE,
)
# a webhook's own `url` holds the unguessable key of the organization
_SECRET = re.compile(r"(token|secret|password|signature|api_?key|authorization|code|^url)$", re.IGNORECASE)
# begins only where a word does and never gives back, or a long text without a space would take its length squared
_ADDRESS = re.compile(r"""(?<![^\s@"'<>“”(),;:])[^\s@"'<>“”(),;:]++@[^\s@"'<>“”(),;:]++""")
#: An answer that took longer says too little about the moment it was written.
PROMPT_SECONDS = 5.0
_TEMPORARY = frozenset({408, 425, 429})


class PlatformError(Exception):
    """A call to a platform did not succeed.

    `permanent`: trying the same again can't help. `ambiguous`: it may have taken effect all the same.
    `status` is the HTTP status, None when no answer came; `retry_after` is in seconds, None when not told;
    `body` is the decoded answer where there was one.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        ambiguous: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.ambiguous = ambiguous
        self.status = status
        self.retry_after = retry_after
        self.body = body


class NotConnected(PlatformError):
    """There is no working connection to call with; nothing was sent, and waiting loses nothing."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


class PacedOut(PlatformError):
    """The call's turn is later than the caller can wait; nothing was sent."""

    def __init__(self, seconds: float, reason: str = "waiting for a free slot") -> None:
        super().__init__(reason, retry_after=seconds)


@dataclass(frozen=True)
class Call:
    """One request as it went, for whoever keeps the record; bodies are redacted already."""

    platform: str
    method: str
    path: str
    status: int | None
    duration_ms: int
    request_body: str
    response_body: str
    error: str
    clock_ahead: float | None = None  # seconds by which our clock is ahead of theirs, where that can be told


def redact(value: Any, key: str = "") -> Any:
    """Return a copy of decoded JSON without personal data and secrets, keeping its shape."""
    if isinstance(value, Mapping):
        return {name: redact(item, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [redact(item, key) for item in value]
    if value in (None, "", True, False):
        return value
    if key and (_SECRET.search(key) or _PERSONAL.search(key)):
        return "[redacted]"
    return without_addresses(value) if isinstance(value, str) else value


def without_addresses(text: str) -> str:
    """Return a text without e-mail addresses, which an error message may quote."""
    return _ADDRESS.sub("[redacted]", text)


def storable(value: Any) -> Any:
    """Return decoded JSON without what PostgreSQL can't store: NUL and lone surrogates in texts."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value


def _kept(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(redact(value), ensure_ascii=False)[:KEPT_BODY_CHARACTERS]


class BoundedAdapter(HTTPAdapter):
    """Ends what takes too long in all: a read's own time-out begins anew with every byte that drips in."""

    def __init__(self) -> None:
        self._connections: WeakSet[HTTPConnection] = WeakSet()
        self._sockets: WeakSet[Any] = (
            WeakSet()
        )  # a connection forgets its own when the answer's end will close it
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return the pool as requests does, and know the connections it makes."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        kind = type(pool).ConnectionCls

        def make(*args: Any, **options: Any) -> Any:
            connection = kind(*args, **options)
            connect = connection.connect

            def remembered() -> None:
                connect()
                self._sockets.add(connection.sock)

            connection.connect = remembered
            self._connections.add(connection)
            return connection

        pool.ConnectionCls = make
        return pool

    @contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        """Cut all connections when the time is up. Raises ReadTimeout then: half an answer may pass for a whole one."""
        is_over = threading.Event()
        timer = threading.Timer(seconds, self._cut, [is_over])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if is_over.is_set():
                raise requests.exceptions.ReadTimeout("the answer took too long")

    def _cut(self, is_over: threading.Event) -> None:
        is_over.set()
        connecting = [connection.sock for connection in list(self._connections) if connection.sock]
        for one in [*connecting, *self._sockets]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class PlatformSession:
    """A requests session for one platform and one customer.

    `pace()` is called before each request and may wait or raise PacedOut; `observe(call)` after each.
    """

    def __init__(
        self,
        platform: str,
        base_url: str,
        *,
        pace: Callable[[], None] | None = None,
        observe: Callable[[Call], None] | None = None,
    ) -> None:
        self.platform = platform
        self.base_url = base_url.rstrip("/")
        self.http = requests.Session()
        self.http.trust_env = False
        self._adapter = BoundedAdapter()
        for scheme in ("http://", "https://"):
            self.http.mount(scheme, self._adapter)
        self.http.headers["User-Agent"] = "CodeScreen-Lever-Portal"
        self.http.headers["Accept"] = "application/json"
        self._pace = pace or (lambda: None)
        self._observe = observe or (lambda call: None)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Any = None,
        payload: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the decoded JSON body of a 2xx answer (None when it is empty).

        Raises PlatformError for everything else. A write is `ambiguous` when the request may have reached the
        platform and no trustworthy answer came back.
        """
        self._pace()
        started = time.monotonic()
        status: int | None = None
        decoded: Any = None
        ahead: float | None = None
        failure: PlatformError | None = None
        try:
            status, decoded, ahead = self._send(method, path, params, payload, form, headers, started)
            return decoded
        except PlatformError as error:
            failure = error
            status, decoded = error.status, error.body
            raise
        finally:
            self._observe(
                Call(
                    platform=self.platform,
                    method=method,
                    path=path,
                    status=status,
                    duration_ms=int((time.monotonic() - started) * 1000),
                    request_body=_kept(payload),
                    response_body=_kept(decoded),
                    error=str(failure)[:500] if failure else "",
                    clock_ahead=ahead,
                )
            )

    def _send(
        self,
        method: str,
        path: str,
        params: Any,
        payload: Any,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        started: float,
    ) -> tuple[int, Any, float | None]:
        is_write = method not in {"GET", "HEAD"}
        try:
            with (
                self._adapter.bounded(TOTAL_SECONDS),
                self.http.request(
                    method,
                    self.base_url + path,
                    params=params,
                    json=payload,
                    data=form,
                    headers=headers,
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    # requests would turn a redirected POST into a GET and drop Authorization on another host
                    allow_redirects=not is_write,
                    stream=True,
                ) as response,
            ):
                body = _read(response, started)
        except requests.RequestException as error:
            reached = not _never_sent(error)
            raise PlatformError(
                f"{self.platform} did not answer: {type(error).__name__}", ambiguous=is_write and reached
            ) from error
        ahead = _clock_ahead(response.headers, time.monotonic() - started)
        return response.status_code, self._judge(response, body, is_write), ahead

    def _judge(self, response: requests.Response, body: bytes, is_write: bool) -> Any:
        status = response.status_code
        try:
            decoded = storable(json.loads(body)) if body else None
            readable = True
        except (ValueError, RecursionError):
            decoded, readable = None, False
        if 200 <= status < 300:
            if not readable:
                raise PlatformError(
                    f"{self.platform} answered {status} with something that isn't JSON",
                    ambiguous=is_write,
                    status=status,
                )
            return decoded
        raise PlatformError(
            f"{self.platform} answered {status}{_reason(decoded)}",
            permanent=status < 500 and status not in _TEMPORARY,
            # a gateway's 52x too may come after the request went through; 503 says that it wasn't taken
            ambiguous=is_write and status >= 500 and status != 503,
            status=status,
            retry_after=_retry_after(response.headers.get("Retry-After"), response.headers.get("Date")),
            body=decoded,
        )


def _read(response: requests.Response, started: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(65536):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise requests.exceptions.ContentDecodingError("the answer is too large")
        if time.monotonic() - started > TOTAL_SECONDS:
            raise requests.exceptions.ReadTimeout("the answer took too long")
    return bytes(body)


def _never_sent(error: requests.RequestException) -> bool:
    """Whether the request certainly did not leave: the connection was never there."""
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.InvalidURL)):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(reason, SSLError):
        # a certificate is judged before anything is sent; other TLS errors also come after it
        return isinstance(reason.args[0] if reason.args else None, ssl.SSLCertVerificationError)
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError, NameResolutionError))


def _reason(body: Any) -> str:
    """Return what a platform's error body says, for a person; never personal data: only code and message."""
    if not isinstance(body, Mapping):
        return ""
    nested = body.get("error")
    if isinstance(nested, Mapping):
        body = nested
    parts = [
        without_addresses(str(body[name]))[:200]
        for name in ("code", "error", "message", "error_description")
        if isinstance(body.get(name), str)
    ]
    return f": {' – '.join(parts)}" if parts else ""


def _retry_after(value: str | None, date: str | None = None) -> float | None:
    """Return Retry-After in seconds (RFC 9110 §10.2.3: seconds or a date), at most six hours.

    A date is compared with the platform's own clock, as `date` tells it: ours may be minutes off.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            now = parsedate_to_datetime(date) if date else timezone.now()
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), 6 * 3600.0) if seconds == seconds else None


def _clock_ahead(headers: Mapping[str, str], seconds: float) -> float | None:
    """Return by how many seconds our clock is ahead of the answer's Date (RFC 9110 §6.6.1: whole seconds).

    None when it can't be told: no such header, a stored answer, or one that took long.
    """
    if "Age" in headers or seconds > PROMPT_SECONDS:
        return None
    try:
        date = parsedate_to_datetime(headers.get("Date") or "")
    except (TypeError, ValueError):
        return None
    if date.tzinfo is None:
        return None
    return (timezone.now() - date).total_seconds() - 0.5


def new_correlation_id() -> str:
    """Return an id that ties the calls of one step together."""
    return uuid.uuid4().hex
