"""The benchmarks' client takes an answer for complete once all of it is there, however the server sends it."""

import socket

import pytest

from portal.devtools.benchmarks.raw_client import Client

HEAD = b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n7\r\n", b"0\r\n\r\n"],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n12\r\n0\r\n\r\n23456789abcdef\r\n0\r\n", b"\r\n"],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"],
        [HEAD, b"Content-Length: 2\r\n\r\n", b"{}"],
        [HEAD + b"Content-Length: 0\r\n", b"\r\n"],
    ],
)
def test_an_answer_is_complete_when_its_last_part_has_come(parts):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client = Client(ours)
        for _ in range(2):
            client.send(b"POST / HTTP/1.1\r\n\r\n")
            complete = []
            for part in parts:
                theirs.sendall(part)
                complete.append(client.receive())
            assert complete == [False] * (len(parts) - 1) + [True]
            assert client.status == 200
