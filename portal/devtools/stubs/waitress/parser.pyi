from waitress.adjustments import Adjustments
from waitress.receiver import Receiver
from waitress.utilities import Error

class HTTPRequestParser:
    headers: dict[str, str]
    error: Error | None
    body_rcv: Receiver | None
    content_length: int
    body_bytes_received: int
    expect_continue: bool
    def __init__(self, adj: Adjustments) -> None: ...
    def received(self, data: bytes) -> int: ...
