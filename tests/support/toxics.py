"""A TCP proxy that disturbs a server's answers: late, slow, cut off, reset."""

import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

Toxic = Callable[[socket.socket, bytes], None]


class Proxy:
    """A proxy between clients and one server that passes each answer through a toxic."""

    def __init__(self, url: str, toxic: Toxic) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._toxic = toxic
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target, timeout=30) as server:
            server.sendall(without_keep_alive(read_request(client)))
            answer = b""
            while chunk := server.recv(65536):
                answer += chunk
            try:
                self._toxic(client, answer)
            except OSError:
                pass  # the client has given up


def read_request(client: socket.socket) -> bytes:
    """Return one request with its body."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        chunk = client.recv(65536)
        request, body = request + chunk, body + chunk
    return request


def without_keep_alive(request: bytes) -> bytes:
    """Return the request with `Connection: close`, so that the server closes after its answer."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body


# toxics


def late(seconds: float) -> Toxic:
    """Return a toxic that sends the whole answer after a delay."""

    def disturb(client: socket.socket, answer: bytes) -> None:
        time.sleep(seconds)
        client.sendall(answer)

    return disturb


def byte_by_byte(every: float, after: bytes = b"") -> Toxic:
    """Return a toxic that sends one byte every `every` seconds, from the start or from behind `after`."""

    def disturb(client: socket.socket, answer: bytes) -> None:
        start = answer.index(after) + len(after) if after else 0
        client.sendall(answer[:start])
        for position in range(start, len(answer)):
            time.sleep(every)
            client.sendall(answer[position : position + 1])

    return disturb


def endless_headers(every: float) -> Toxic:
    """Return a toxic whose headers never end."""

    def disturb(client: socket.socket, answer: bytes) -> None:
        client.sendall(answer[: answer.index(b"\r\n") + 2] + b"X-More: ")
        while True:
            client.sendall(b"x")
            time.sleep(every)

    return disturb


def cut(size: int) -> Toxic:
    """Return a toxic that closes the connection after `size` bytes."""
    return lambda client, answer: client.sendall(answer[:size])


def reset(client: socket.socket, answer: bytes) -> None:
    """Reset the connection without an answer."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def lingering(seconds: float) -> Toxic:
    """Return a toxic that sends the whole answer and closes the connection much later."""

    def disturb(client: socket.socket, answer: bytes) -> None:
        client.sendall(answer)
        time.sleep(seconds)

    return disturb
