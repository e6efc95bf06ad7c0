from socket import SocketType as Socket

from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher
from waitress.wasyncore import dispatcher

class TcpWSGIServer:
    accepting: bool
    socket: Socket
    # of the channel class that a subclass names
    active_channels: dict[int, object]
    def __init__(
        self,
        application: object,
        map: dict[int, dispatcher],  # noqa: A002
        *,
        _sock: Socket,
        dispatcher: ThreadedTaskDispatcher,
        adj: Adjustments,
        sockinfo: object,
        bind_socket: bool,
    ) -> None: ...
    def maintenance(self, now: float) -> None: ...
    def handle_accept(self) -> None: ...
    def del_channel(self) -> None: ...
    def pull_trigger(self) -> None: ...
