from collections.abc import Sequence
from socket import SocketType as Socket

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser
from waitress.wasyncore import dispatcher

class HTTPChannel(dispatcher):
    _fileno: int | None
    adj: Adjustments
    socket: Socket
    request: HTTPRequestParser | None
    requests: Sequence[HTTPRequestParser]
    total_outbufs_len: int
    last_activity: float
    close_when_flushed: bool
    will_close: bool
    def service(self) -> None: ...
    def received(self, data: bytes) -> bool: ...
    def recv(self, size: int) -> bytes: ...
    def handle_read(self) -> None: ...
    def handle_write(self) -> None: ...
    def handle_close(self) -> None: ...
