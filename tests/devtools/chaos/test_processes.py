"""The proxy that makes a server unreachable."""

import contextlib
import socket
import threading

import pytest

from portal.devtools.chaos.processes import Proxy
from portal.devtools.processes import free_port


def test_a_server_is_unreachable_while_its_proxy_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Proxy(free_port(), server.getsockname()) as proxy:
        threading.Thread(target=echo, args=[server], daemon=True).start()
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            assert send(client, b"hello") == b"hello"
            proxy.close()
            assert send(client, b"anybody?") == b""
        with pytest.raises(OSError, match=r"\w"):
            socket.create_connection(("127.0.0.1", proxy.port), timeout=30)
        proxy.open()
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            assert send(client, b"x" * 100_000) == b"x" * 100_000


def echo(server: socket.socket) -> None:
    """Send everything back to every client."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=echo_to, args=[connection], daemon=True).start()


def echo_to(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        while chunk := connection.recv(4096):
            connection.sendall(chunk)


def send(client: socket.socket, data: bytes) -> bytes:
    """Send data and return what came back until the connection ended."""
    received = b""
    with contextlib.suppress(OSError):
        client.sendall(data)
        while len(received) < len(data) and (chunk := client.recv(4096)):
            received += chunk
    return received
