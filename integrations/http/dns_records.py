"""Look-ups of TXT records, by which an organization proves that a domain is its own."""

from integrations.http import customer_calls

#: How long one look-up may take.
LOOKUP_SECONDS = 3.0


class LookupFailed(Exception):
    """No name server gave an answer: whether there is a record isn't known."""


def txt_records(name: str, organization_id: int) -> list[str]:
    """Return the texts of the TXT records of a name that an organization gave; none when there is no such name.

    Raises LookupFailed, and TooManyCalls (see `customer_calls`).
    """
    customer_calls.begin(organization_id)
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
