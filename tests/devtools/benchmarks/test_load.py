"""The benchmarks' client takes an answer for complete once all of it is there, and one that is no 2xx for an error."""

import asyncio

import pytest

from portal.devtools.benchmarks.load import read_answer


def read(answer: bytes) -> bytes:
    """Read an answer, after which the connection ends; return what is left."""

    async def read_all() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data(answer)
        reader.feed_eof()
        await read_answer(reader)
        return await reader.read()

    return asyncio.run(read_all())


def test_an_answer_is_read_whole_and_no_more():
    assert read(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1") == b"HTTP/1.1"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{",
        b"",
    ],
)
def test_a_refusal_and_the_end_of_the_connection_are_errors(answer):
    with pytest.raises(ConnectionError, match="was answered"):
        read(answer)
