from collections.abc import Callable, Sequence
from logging import Logger
from types import FrameType

class Config:
    threads: int
    graceful_timeout: int

class Worker:
    alive: bool
    ppid: int
    cfg: Config
    log: Logger
    sockets: Sequence[object]
    wsgi: Callable[..., object]
    def notify(self) -> None: ...
    def run(self) -> None: ...
    def handle_exit(self, sig: int, frame: FrameType | None) -> None: ...
