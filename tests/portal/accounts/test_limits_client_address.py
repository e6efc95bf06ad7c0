"""The client's address: as many hops back as proxies are ours, and never what a client wrote itself."""

from ipaddress import ip_address

import pytest
from django.test import RequestFactory

from portal.accounts.limits import client_address, client_network


def request(forwarded: str | None = None, connection: str = "10.0.0.9"):
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return RequestFactory().get("/", headers=headers, REMOTE_ADDR=connection)


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (0, None, "10.0.0.9"),
        (0, "192.0.2.1", "10.0.0.9"),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "198.51.100.7, 192.0.2.1", "192.0.2.1"),
        (2, "198.51.100.7, 192.0.2.1, 10.0.0.1", "192.0.2.1"),
        (2, "192.0.2.1", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, None, "10.0.0.9"),
        (1, "192.0.2.1, unknown", "10.0.0.9"),
        (1, "192.0.2.1,", "10.0.0.9"),
        (1, "[]:80", "10.0.0.9"),
        (1, "1.2.3.4.5", "10.0.0.9"),
        (1, "192.0.2.1, _hidden'; DROP TABLE", "10.0.0.9"),
        (1, "," * 5000 + " 192.0.2.1:55555", "192.0.2.1"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_taken_so_many_hops_back(settings, hops, forwarded, expected):
    settings.TRUSTED_PROXIES = hops
    assert client_address(request(forwarded)) == ip_address(expected)


def test_a_unix_socket_has_no_address(settings):
    settings.TRUSTED_PROXIES = 0
    assert client_address(request("192.0.2.1", connection="")) is None
    assert client_network(request(connection="")) == ""


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_ipv6_network_is_one_client(settings, address, network):
    settings.TRUSTED_PROXIES = 0
    assert client_network(request(connection=address)) == network
