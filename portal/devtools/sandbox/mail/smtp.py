"""A mail server that speaks as much SMTP (RFC 5321) as a sender without a password needs."""

import re
import socket
from collections.abc import Callable, Sequence
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

LONGEST_LINE = 4096
LARGEST_MESSAGE = 10 * 1024 * 1024
IDLE_SECONDS = 60

type Deliver = Callable[[str, Sequence[str], bytes], object]


class SmtpServer(ThreadingTCPServer):
    """Hands every message to `deliver(sender, recipients, raw)`."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, deliver: Deliver) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Session)
        self.deliver = deliver
        self.port: int = self.server_address[1]
        self._thread: Thread | None = None

    def start(self) -> None:
        """Serve in a thread of its own and return at once."""
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()


class _Session(StreamRequestHandler):
    server: SmtpServer
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []
        try:
            self._answer("220 sandbox ESMTP")
            while line := self.rfile.readline(LONGEST_LINE):
                command, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                if command.upper() == "QUIT":
                    self._answer("221 Bye")
                    return
                self._answer(self._obey(command.upper(), rest))
        except OSError:
            return  # the sender hung up

    def _obey(self, command: str, rest: str) -> str:
        match command:
            case "EHLO":
                return f"250-sandbox\r\n250-SIZE {LARGEST_MESSAGE}\r\n250-8BITMIME\r\n250 SMTPUTF8"
            case "HELO" | "NOOP":
                return "250 OK"
            case "RSET":
                self._forget()
                return "250 OK"
            case "MAIL":
                self._forget()
                self._sender = _address(rest)
                return "250 OK"
            case "RCPT" if self._sender is not None:
                self._recipients.append(_address(rest))
                return "250 OK"
            case "DATA" if self._recipients:
                return self._take_message()
            case "RCPT" | "DATA":
                return "503 Bad sequence of commands"
        return "502 Command not implemented"

    def _take_message(self) -> str:
        self._answer("354 End with a dot on a line of its own")
        raw = bytearray()
        while (line := self.rfile.readline()) not in (b".\r\n", b".\n", b""):
            if len(raw) <= LARGEST_MESSAGE:
                raw += line.removeprefix(b".") if line.startswith(b"..") else line
        if len(raw) > LARGEST_MESSAGE:
            return "552 The message is too large"
        self.server.deliver(self._sender or "", tuple(self._recipients), bytes(raw))
        self._forget()
        return "250 Kept"

    def _forget(self) -> None:
        self._sender, self._recipients = None, []

    def _answer(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def _address(argument: str) -> str:
    """Return the address in `FROM:<address> …` or `TO:<address> …`."""
    found = re.search(r"<([^>]*)>", argument)
    return found.group(1) if found else argument.partition(":")[2].strip()
