"""The benchmarks' client takes an answer for complete once all of it is there, and one that is no 2xx for an error."""

import socket

import pytest

from portal.devtools.benchmarks.load import Client

HEAD = b"HTTP/1.1 202 Accepted\r\nServer: gunicorn\r\n"


@pytest.mark.parametrize(
    "parts",
    [
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


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b""])
def test_a_refusal_and_the_end_of_the_connection_are_errors(answer):
    ours, theirs = socket.socketpair()
    with ours:
        theirs.sendall(answer)
        theirs.close()
        with pytest.raises(ConnectionError, match="was answered"):
            Client(ours).receive()
