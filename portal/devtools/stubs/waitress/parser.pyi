from waitress.adjustments import Adjustments
from waitress.receiver import Receiver
from waitress.utilities import Error

class ParsingError(Exception): ...

class HTTPRequestParser:
    headers: dict[str, str]
    error: Error | None
    body_rcv: Receiver | None
    content_length: int
    body_bytes_received: int
    expect_continue: bool
    chunked: bool
    def __init__(self, adj: Adjustments) -> None: ...
    def parse_header(self, header_plus: bytes) -> None: ...
    def received(self, data: bytes) -> int: ...
