"""A proxy that disturbs a server's answers: slow, cut off, or kept waiting."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import requests

Toxic = Callable[[socket.socket, bytes], None]


class Proxy:
    """A proxy between clients and one server that passes the answer to each POST through a toxic."""

    def __init__(self, url: str, toxic: Toxic) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = requests.post(f"{url}{self.path}", body, headers=dict(self.headers), timeout=30)
                lines = [f"HTTP/1.1 {answer.status_code} {answer.reason}"]
                lines += [f"{name}: {value}" for name, value in answer.headers.items()]
                with suppress(OSError):  # the client has given up
                    toxic(self.connection, "\r\n".join([*lines, "", ""]).encode() + answer.content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


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


def lingering(seconds: float) -> Toxic:
    """Return a toxic that sends the whole answer and closes the connection much later."""

    def disturb(client: socket.socket, answer: bytes) -> None:
        client.sendall(answer)
        time.sleep(seconds)

    return disturb
