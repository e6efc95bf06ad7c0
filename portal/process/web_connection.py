"""A client's connection to the web server: read completely, within bounds and deadlines, before a thread has to care.

waitress reads and answers all connections in one thread, and gives a request to a worker thread once it is complete: a
client that sends a byte now and then costs a little memory and no thread.
"""

import re
import socket
import threading
import time
from typing import TYPE_CHECKING

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import RequestEntityTooLarge

if TYPE_CHECKING:
    from waitress.adjustments import Adjustments

#: How long a connection may stand open without a request in progress.
IDLE_SECONDS = 30.0
#: How long a request may take to arrive completely: 256 KiB, the largest webhook, at 9 KiB a second.
REQUEST_SECONDS = 30.0
#: How long a client may take to read on.
STALLED_SECONDS = 60.0
#: How long the rest of a body that is too large is read and dropped, so that its sender can read the answer.
LINGER_SECONDS = 5.0
_FOLDED_LINE = re.compile(rb"\r\n[ \t]")


class _Serving(threading.local):
    """The connection that this thread serves."""

    connection: "Connection | None" = None


serving = _Serving()


class Request(HTTPRequestParser):
    """A request. Of a body that is too large nothing is kept, and the portal answers by the stated length alone.

    What a proxy might read as another request is answered 400, and its connection ended (RFC 9112, 5.2 and 6.3).
    """

    def __init__(self, adj: "Adjustments", connection: "Connection") -> None:
        super().__init__(adj)
        self._connection = connection

    def parse_header(self, header_plus: bytes) -> None:
        """Read the header. Raises ParsingError for a field on several lines, and for two statements of a body's end."""
        if _FOLDED_LINE.search(header_plus):
            raise ParsingError("A header field stands on several lines")
        super().parse_header(header_plus)
        if "CONTENT_LENGTH" in self.headers and (self.chunked or "TRANSFER_ENCODING" in self.headers):
            raise ParsingError("Content-Length and Transfer-Encoding contradict each other")

    def received(self, data: bytes) -> int:
        """Take in a part of the request. Return how many bytes of it belong to this request."""
        if self._connection.is_cut:
            return len(data)  # the rest of the body that was too large, not a request
        consumed = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            self._cut()
        return consumed

    def _cut(self) -> None:
        """Complete the request without its body: the address, the method and the size decide about the answer."""
        self._connection.is_cut, self.error, self.expect_continue = True, None, False
        self.headers["CONTENT_LENGTH"] = str(max(self.content_length, self.body_bytes_received))
        # what follows is no request: the connection ends after the answer
        self.headers["CONNECTION"] = "close"
        if self.body_rcv is not None:
            self.body_rcv.getbuf().close()
            self.body_rcv = None


class Connection(HTTPChannel):
    """A connection with deadlines, which drops the rest of a body that is too large instead of breaking off."""

    is_cut = False  # whether a request's body was too large, so that what follows is dropped
    _request_began_at: float | None = None
    _lingers_until: float | None = None

    def parser_class(self, adj: "Adjustments") -> Request:
        """Return a new request of this connection."""
        return Request(adj, self)

    @property
    def next_path(self) -> str:
        """The path of the request that is to be served next, empty when it can't be read."""
        return getattr(self.requests[0], "path", "")

    @property
    def is_at_rest(self) -> bool:
        """Whether no request is being worked on and no answer is on its way."""
        return not self.requests and not self.total_outbufs_len

    @property
    def waits_since(self) -> float | None:
        """Return since when it waits for the rest of a request or for the next one; None while it is worked on."""
        if not self.is_at_rest:
            return None
        return self._request_began_at or self.last_activity

    def service(self) -> None:
        """Answer a request, in a thread other than the one that reads."""
        serving.connection = self
        try:
            super().service()
        finally:
            serving.connection = None

    def received(self, data: bytes) -> bool:
        """Take in what arrived, and note when a request began."""
        if self.is_cut:
            return False
        if self._request_began_at is None:
            self._request_began_at = time.time()
        is_taken = super().received(data)
        if self.request is None:
            self._request_began_at = None
        return is_taken

    def end_if_overdue(self, now: float) -> None:
        """Close the connection when its client has taken too long to send a request or to read an answer."""
        if self._lingers_until is not None:
            is_overdue = now > self._lingers_until
        elif self.total_outbufs_len:
            is_overdue = now - self.last_activity > STALLED_SECONDS
        elif self.requests:
            return
        elif self._request_began_at is not None:
            is_overdue = now - self._request_began_at > REQUEST_SECONDS
        else:
            is_overdue = now - self.last_activity > IDLE_SECONDS
        if is_overdue:
            self.handle_close()

    # the end of a connection whose request was cut

    def readable(self) -> bool:
        """Whether to read more: requests, or what is to be dropped."""
        return self._lingers_until is not None or super().readable()

    def writable(self) -> bool:
        """Whether there is something to send, or the connection to close."""
        return self._lingers_until is None and super().writable()

    def handle_write(self) -> None:
        """Send on. After the answer to a request that was cut, say that nothing more comes, and read to the end."""
        is_answered = self.close_when_flushed and not self.total_outbufs_len
        if not (self.is_cut and is_answered):
            super().handle_write()
            return
        self.close_when_flushed = False
        self._lingers_until = time.time() + LINGER_SECONDS
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()

    def handle_read(self) -> None:
        """Read what arrived, or drop it."""
        if self._lingers_until is None:
            super().handle_read()
            return
        try:
            is_at_end = not self.recv(self.adj.recv_bytes)
        except OSError:
            is_at_end = True
        if is_at_end:
            self.handle_close()
