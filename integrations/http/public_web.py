"""Calls to servers that customers name: few at once, over HTTPS to public hosts alone; and look-ups of TXT records.

A page that calls a server which a customer names, its identity provider for example, waits for that server in a thread
that webhooks and other customers' pages need. So of each organization one request at a time may wait in a process, and
few of all; the others are answered at once. Workers, which may wait, are not bounded here.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

from integrations.http import deadlines
from integrations.http.addresses import ips_of, may_be_called
from integrations.http.redirects import SessionWithoutRedirects

#: Requests of all organizations that may wait in one process, of the web server's eight threads.
AT_ONCE = 3
#: How long one call may take.
CALL_SECONDS = 3.0


class TooManyCalls(Exception):
    """Another request waits for a server of this organization, or too many wait for others; try again in a moment."""


#: The organizations for whose servers a request of this process waits.
_waited_for: set[int] = set()
_lock = threading.Lock()
#: Those of this request; None outside of requests.
_own: ContextVar[set[int] | None] = ContextVar("customer_calls", default=None)


@contextmanager
def bound_customer_calls() -> Iterator[None]:
    """Limit the calls of one request. It holds an organization's place from its first call until it is answered."""
    own: set[int] = set()
    token = _own.set(own)
    try:
        yield
    finally:
        _own.reset(token)
        with _lock:
            _waited_for.difference_update(own)


def begin_customer_call(organization_id: int) -> float | None:
    """Return how many seconds a call to a server of this organization may take; None outside of requests.

    Raises TooManyCalls, in a request alone.
    """
    own = _own.get()
    if own is None:
        return None
    if organization_id not in own:
        with _lock:
            if organization_id in _waited_for or len(_waited_for) >= AT_ONCE:
                raise TooManyCalls
            _waited_for.add(organization_id)
        own.add(organization_id)
    return CALL_SECONDS


# Look-ups of TXT records, by which an organization proves that a domain is its own.


#: How long one look-up may take.
LOOKUP_SECONDS = 3.0


class LookupFailed(Exception):
    """No name server gave an answer: whether there is a record isn't known."""


def txt_records(name: str, organization_id: int) -> list[str]:
    """Return the texts of the TXT records of a name that an organization gave; none when there is no such name.

    Raises LookupFailed, and TooManyCalls (see `begin_customer_call`).
    """
    begin_customer_call(organization_id)
    # not with the module: it is large, and few processes ever look up a record
    import dns.exception  # noqa: PLC0415
    import dns.resolver  # noqa: PLC0415
    from dns.rdtypes.txtbase import TXTBase  # noqa: PLC0415

    try:
        resolver = dns.resolver.Resolver()
        answer = resolver.resolve(name, "TXT", lifetime=LOOKUP_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError, UnicodeError) as error:
        raise LookupFailed(type(error).__name__) from error
    return [
        b"".join(record.strings).decode("utf-8", "replace")
        for record in answer
        if isinstance(record, TXTBase)
    ]


# Calls to addresses that customers name: over HTTPS to public hosts alone, without redirects, within bounds.
#
# Otherwise a customer could have the portal call what only its own network reaches (server-side request forgery). The
# address that is checked is the one that is connected to: a second look-up could give another one (DNS rebinding).


TOTAL_SECONDS = 10.0
CONNECT_SECONDS = 4.0
MAX_BODY_BYTES = 512 * 1024


class AddressRefused(Exception):
    """The portal doesn't call this address; the message says why and what to use instead."""


@dataclass(frozen=True)
class Answer:
    """The status and the body of an answer, whatever the status."""

    status: int
    body: bytes


def check_address(address: str) -> None:
    """Raise AddressRefused unless this is an HTTPS address with a host name or a public IP address."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefused("This is not an address: it must begin with https:// and a host.") from error
    schemes = {"https", "http"} if settings.ALLOW_PRIVATE_ADDRESSES else {"https"}
    if parts.scheme not in schemes or not host:
        raise AddressRefused("The address must begin with https:// and a host.")
    if parts.username or parts.password or not address.isascii() or not address.isprintable():
        raise AddressRefused("The address must be plain characters, without a user name or password.")
    if not _is_ip(host):
        return
    if not may_be_called(host):
        raise AddressRefused(_not_public(host))


def call(
    method: str,
    address: str,
    organization_id: int,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
) -> Answer:
    """Call a server that an organization named, and return its answer; a redirect is an answer, and isn't followed.

    Raises AddressRefused, TooManyCalls (see `begin_customer_call`), and requests.RequestException when no whole answer
    came in time.
    """
    check_address(address)
    seconds = begin_customer_call(organization_id) or TOTAL_SECONDS
    started = time.monotonic()
    with SessionWithoutRedirects() as session:
        session.trust_env = False
        adapter = _PublicAdapter()
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        with (
            adapter.bounded(seconds),
            session.request(
                method,
                address,
                headers={
                    "User-Agent": "CodeScreen-Lever-Portal",
                    "Accept": "application/json",
                    **(headers or {}),
                },
                data=form,
                auth=auth,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            body = deadlines.read_body(response, started, most_bytes=MAX_BODY_BYTES, most_seconds=seconds)
            return Answer(response.status_code, body)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _not_public(host: str) -> str:
    return f"{host} leads into a private network. Use an address that is reachable from the internet."


def _public_ips(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host. Raises AddressRefused when one of them isn't public, and OSError."""
    ips = ips_of(host, port)
    if not all(map(may_be_called, ips)):
        raise AddressRefused(_not_public(host))
    return ips


class _Public(HTTPConnection):
    """A connection that resolves the host once, and connects to an address that was checked."""

    def _new_conn(self) -> socket.socket:
        host = self._dns_host
        try:
            ips = _public_ips(host, self.port or 443)
        except OSError as error:
            raise NameResolutionError(host, self, socket.gaierror(*error.args)) from error
        refused: NewConnectionError | None = None
        try:
            for ip in ips:
                try:
                    self._dns_host = ip
                    return super()._new_conn()
                except NewConnectionError as error:
                    refused = error
        finally:
            self._dns_host = host  # the certificate is for the name
        raise refused or NewConnectionError(self, "the host has no address")


class _PublicHTTPSConnection(_Public, HTTPSConnection):
    pass


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _Public


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class _PublicAdapter(deadlines.DeadlineAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}
