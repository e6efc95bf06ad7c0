"""The IP addresses of hosts, and which of them the portal may call where a platform's answer names the host."""

import ipaddress
import socket

#: The public addresses of IPv6 (RFC 4291). Others are private, or are IPv4 written as IPv6.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


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
    return address.is_global and not address.is_multicast
