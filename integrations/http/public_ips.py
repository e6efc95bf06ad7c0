"""Which IP addresses a host has, and which of them everybody on the internet can reach."""

import ipaddress
import socket

from django.conf import settings

#: What of IPv6 is given out for the internet (RFC 4291). Outside lie private networks and IPv4 in other forms.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


def ips_of(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host. Raises OSError, and UnicodeError for what is no host's name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(ip: str) -> bool:
    """Whether an IP address is one that everybody on the internet can reach."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address not in _GLOBAL_UNICAST or address.sixtofour or address.teredo:
            return bool(settings.ALLOW_PRIVATE_ADDRESSES)
    return bool(settings.ALLOW_PRIVATE_ADDRESSES) or (address.is_global and not address.is_multicast)
