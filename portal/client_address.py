"""The address of the client that sent a request, and the network that it belongs to."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

type Address = IPv4Address | IPv6Address

#: A provider gives each of its customers a whole network of so many bits: all addresses in it are one client.
IPV6_NETWORK_BITS = 64


def client_address(request: HttpRequest) -> Address | None:
    """Return the address of the client, None where the connection has none, as a Unix socket's.

    With TRUSTED_PROXIES it is what the outermost of our proxies wrote into `X-Forwarded-For`: so many entries from the
    end. Whatever a client itself wrote stands before that. A header with fewer entries didn't come through all of our
    proxies, so that none of its entries is believed, and the connection's own address counts.
    """
    hops: int = settings.TRUSTED_PROXIES
    entries = request.headers.get("X-Forwarded-For", "").split(",")
    if 0 < hops <= len(entries) and (forwarded := parse_address(entries[-hops])):
        return forwarded
    return parse_address(request.META.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str:
    """Return the client's IPv4 address or IPv6 network as text, empty where the address is unknown."""
    address = client_address(request)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_NETWORK_BITS), strict=False))
    return str(address or "")


def parse_address(text: str) -> Address | None:
    """Return the address in the text, with or without a port, None if there is none.

    An IPv4 address in an IPv6 one's form is returned as IPv4, a link-local one without the name of its interface.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
