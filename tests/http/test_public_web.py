"""Calls to addresses that customers name: none into private networks, none without bounds."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from integrations.http import addresses, public_web
from integrations.http.public_web import AddressRefused, call, check_address

PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "fec0::1",
    "5f00::1",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("ip", PRIVATE)
def test_an_address_in_a_private_network_is_refused(ip):
    assert not addresses.may_be_called(ip)
    host = f"[{ip}]" if ":" in ip else ip
    with pytest.raises(AddressRefused, match="private network"):
        check_address(f"https://{host}/")


@pytest.mark.parametrize("ip", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_accepted(ip):
    assert addresses.may_be_called(ip)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "login.example.com",
        "http://login.example.com",
        "ftp://login.example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https://user:password@login.example.com",
        "https://user@login.example.com",
        "https://login.example.com:99999",
        "https://[::1",
        "https://login.example.com/\r\nX: y",
        "https://login.exämple.com",
    ],
)
def test_what_is_no_plain_https_address_is_refused(address):
    with pytest.raises(AddressRefused):
        check_address(address)


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f000001", "2130706433"])
def test_a_name_that_leads_to_this_machine_is_refused_before_anything_is_sent(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        with pytest.raises(AddressRefused, match="private network"):
            call("GET", f"https://{host}:{server.getsockname()[1]}/", 1)
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_name_is_resolved_once_so_that_a_second_answer_changes_nothing(monkeypatch):
    asked = []
    real = socket.getaddrinfo

    def rebinding(host, port, *args, **options):
        if host != "rebinding.example":
            return real(host, port, *args, **options)
        asked.append(host)
        ip = "192.0.2.1" if len(asked) > 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(AddressRefused):
        call("GET", "https://rebinding.example/", 1)
    assert asked == ["rebinding.example"]


def test_one_private_address_among_public_ones_is_refused(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AddressRefused):
        call("GET", "https://both.example/", 1)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        try:
            while self.path == "/huge":
                self.wfile.write(b"x" * 65536)
            while self.path == "/slow":
                self.wfile.write(b"x")
                time.sleep(0.05)
            self.wfile.write(b"{}")
        except OSError:
            pass

    def log_message(self, *_):
        pass


@pytest.fixture
def local(settings):
    """The address of a server of this machine, which the operator allows."""
    settings.ALLOW_PRIVATE_ADDRESSES = True
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_the_operator_may_allow_private_networks(local):
    assert call("GET", f"{local}/", 1) == public_web.Answer(200, b"{}")


def test_a_redirect_is_not_followed(local):
    assert call("GET", f"{local}/redirect", 1).status == 302


def test_a_huge_answer_ends_the_call(local):
    with pytest.raises(requests.RequestException):
        call("GET", f"{local}/huge", 1)


def test_an_answer_that_drips_ends_the_call(local, monkeypatch):
    monkeypatch.setattr(public_web, "TOTAL_SECONDS", 0.3)
    with pytest.raises(requests.RequestException):
        call("GET", f"{local}/slow", 1)


def test_the_environments_proxies_are_not_used(local, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9/")
    assert call("GET", f"{local}/", 1).status == 200
