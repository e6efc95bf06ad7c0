"""Which redirects of a platform are followed, and which IP addresses may be called.

Those to its own hosts are followed, with credentials, method and body: Lever redirects calls for accounts in the EU.
requests would turn a redirected POST into a GET, and leave out the credentials on another host. Anywhere else
nobody may have the credentials, and the body may be about a person.
"""

import ipaddress
import re
import socket
from collections.abc import Callable
from urllib.parse import SplitResult, urljoin, urlsplit

import requests

#: The public addresses of IPv6 (RFC 4291). Others are private, or are IPv4 written as IPv6.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
#: Azure's own service for its machines, at an address that is public by its number.
_OF_THE_HOST = ipaddress.ip_address("168.63.129.16")


def ips_of(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host. Raises OSError, and UnicodeError for what is no host's name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def may_be_called(ip: str) -> bool:
    """Whether the portal may call this IP address: a public one."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address not in _GLOBAL_UNICAST or address.sixtofour or address.teredo:
            return False
    return address.is_global and not address.is_multicast and address != _OF_THE_HOST


MOST_REDIRECTS = 3
_KEEPS_METHOD = frozenset({307, 308})
_FOLLOWED_BY_READS = _KEEPS_METHOD | {301, 302, 303}
#: A second-level label that is shorter may belong to a registry, as in `co.uk`: then the registered domain is taken to
#: begin one label further left. Of `api.lever.co` it is `lever.co`, of `api.x.co.uk` `x.co.uk`, and for `api.ibm.com`
#: it stays `api.ibm.com`, which is too narrow. Where anybody gets a name below a domain, as at a hosting company, it is
#: too wide: no platform's address is below one.
SHORTEST_NAME = 4
#: Other characters are read in different ways: `\\` ends a host for some, and is part of it for others.
_HOST = re.compile(r"[a-z0-9.-]+")


class LedElsewhere(requests.RequestException):
    """A platform's answer leads to an address that isn't followed. The text names it.

    `may_be_done`: the request was a write that the platform usually has processed before it answers like this.
    """

    def __init__(self, text: str, *, may_be_done: bool = False) -> None:
        super().__init__(text)
        self.may_be_done = may_be_done


class SessionWithoutRedirects(requests.Session):
    """A session that never reads the Location header: requests reads it even when redirects are off.

    It would raise ValueError, with the answer lost, for an address that can't be read.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: `follow` reads it."""


def follow(send: Callable[[str], requests.Response], url: str, *, is_write: bool) -> requests.Response:
    """Return what `send` gets at the address, or where that leads. Raises LedElsewhere, and what `send` raises."""
    for _ in range(MOST_REDIRECTS + 1):
        response = send(url)
        location = response.headers.get("Location")
        if not location or response.status_code not in _FOLLOWED_BY_READS:
            return response
        response.close()
        target = _target(url, location)
        if is_write and response.status_code not in _KEEPS_METHOD:
            raise LedElsewhere(
                f"answered {response.status_code}, which isn't followed with a body, to {_shown(target)}",
                may_be_done=True,
            )
        if not _is_own(urlsplit(url), target):
            raise LedElsewhere(
                f"answered {response.status_code} and led to {_shown(target)}, which isn't its own host"
            )
        url = target
    raise LedElsewhere(f"redirected more than {MOST_REDIRECTS} times, at last to {_shown(url)}")


def _target(url: str, location: str) -> str:
    """Return the address that a Location leads to, as it would be called; empty for one that can't be read."""
    try:
        target = requests.Request("GET", urljoin(url, location)).prepare().url or ""
        return target if urlsplit(target).hostname else ""
    except ValueError:
        return ""


def _is_own(source: SplitResult, target: str) -> bool:
    """Whether an address belongs to the platform that led there, as safely as the one that was called."""
    try:
        parts = urlsplit(target)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme not in {source.scheme, "https"} or parts.username or parts.password:
        return False
    if not _HOST.fullmatch(host):
        return False
    if host == source.hostname:
        return port in {source.port, None}
    domain = registered_domain(source.hostname or "")
    is_below = bool(domain) and (host == domain or host.endswith(f".{domain}"))
    return is_below and parts.scheme == "https" and port in {443, None} and _may_be_called(host)


def registered_domain(host: str) -> str:
    """Return the domain that the platform has registered, or one below it; empty where that can't be told."""
    labels = host.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or ":" in host:  # an IP address, or a name of this network
        return ""
    count = 2 if len(labels[-2]) >= SHORTEST_NAME else 3
    return ".".join(labels[-count:]) if len(labels) >= count else ""


def _may_be_called(host: str) -> bool:
    try:
        return all(map(may_be_called, ips_of(host, 443)))
    except (OSError, UnicodeError):
        return False


def _shown(address: str) -> str:
    """Return an address without its query, which may name a person, and without credentials."""
    if not address:
        return "an address that can't be read"
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:300]
