"""The connections to the platforms, kept open between calls: each serves one customer, and one call at a time."""

import os
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from integrations.http import deadlines
from integrations.http.redirects import SessionWithoutRedirects
from integrations.http.watch import Watch

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
        """Close every idle connection."""
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
        """Make the pools with the context."""
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
