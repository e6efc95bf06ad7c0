"""How many threads of a web server may wait for customers' own servers, and for how long; TXT look-ups.

A page that calls a server which a customer names, its identity provider for example, waits for that server in a thread
that webhooks and other customers' pages need. So of each organization one request at a time may wait in a process, and
few of all; the others are answered at once. Workers, which may wait, are not bounded here.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Requests of all organizations that may wait in one process, of the web server's eight threads.
AT_ONCE = 3
#: How long one call may take.
CALL_SECONDS = 3.0


class TooManyCalls(Exception):
    """Another request waits for a server of this organization, or too many wait for others; try again in a moment."""


class _Slots:
    """The organizations for whose servers a request of this process waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[int] = set()

    def take(self, organization_id: int) -> None:
        """Take the organization's slot. Raises TooManyCalls."""
        with self._lock:
            if organization_id in self._taken or len(self._taken) >= AT_ONCE:
                raise TooManyCalls
            self._taken.add(organization_id)

    def give_back(self, organization_ids: set[int]) -> None:
        """Let other requests take them."""
        with self._lock:
            self._taken -= organization_ids


_slots = _Slots()
#: What this request has taken; None outside of requests.
_own: ContextVar[set[int] | None] = ContextVar("customer_calls", default=None)


@contextmanager
def of_request() -> Iterator[None]:
    """Bound the calls of one request. What it takes with its first call is its own until it is answered."""
    own: set[int] = set()
    token = _own.set(own)
    try:
        yield
    finally:
        _own.reset(token)
        _slots.give_back(own)


def begin(organization_id: int) -> float | None:
    """Return how long a call to a server of this organization may take, None where only the call itself says it.

    Raises TooManyCalls, in a request alone.
    """
    own = _own.get()
    if own is None:
        return None
    if organization_id not in own:
        _slots.take(organization_id)
        own.add(organization_id)
    return CALL_SECONDS


# Look-ups of TXT records, by which an organization proves that a domain is its own.


#: How long one look-up may take.
LOOKUP_SECONDS = 3.0


class LookupFailed(Exception):
    """No name server gave an answer: whether there is a record isn't known."""


def txt_records(name: str, organization_id: int) -> list[str]:
    """Return the texts of the TXT records of a name that an organization gave; none when there is no such name.

    Raises LookupFailed, and TooManyCalls (see `customer_calls`).
    """
    begin(organization_id)
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
