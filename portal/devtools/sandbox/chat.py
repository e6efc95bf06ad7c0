"""The pretend chat room: it stands in for Slack's webhooks, and shows what was posted on a page.

The portal posts to no address but one of Slack or Teams. So the demo names this server in `HTTPS_PROXY`, as a company
names its own proxy: the portal asks it for hooks.slack.com, and is answered with the certificate that the demo trusts.
Nothing leaves this machine.
"""

import json
import re
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from portal.devtools.sandbox.connections import MAX_BODY, ThreadServer
from portal.devtools.sandbox.messages import Request, Response, Route, render
from portal.devtools.sandbox.server import HOST
from portal.devtools.sandbox.values import now_ms, readable

SLACK = "hooks.slack.com"
PATH = "/services/T0DEMO/B0DEMO/pretend"
#: What is entered in the portal's settings.
WEBHOOK_URL = f"https://{SLACK}{PATH}"
MOST_KEPT = 500
IDLE_SECONDS = 60
_LINK = re.compile(r"<(https?://[^|>]+)\|([^>]+)>")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message: a text, or a link where it has an address."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message in Slack's markup: its first line is the title."""

    markup: str
    at: int = field(default_factory=now_ms)

    @property
    def title(self) -> str:
        """The first line, which is bold."""
        return unescape(self.markup.partition("\n")[0].strip("*"))

    @property
    def lines(self) -> list[list[Part]]:
        """The other lines, each in parts."""
        return [_parts(line) for line in self.markup.split("\n")[1:]]

    @property
    def sent(self) -> str:
        """When it came, for people to read."""
        return readable(self.at)


def _parts(line: str) -> list[Part]:
    parts, end = [], 0
    for link in _LINK.finditer(line):
        parts += [Part(unescape(line[end : link.start()])), Part(unescape(link[2]), unescape(link[1]))]
        end = link.end()
    return [part for part in (*parts, Part(unescape(line[end:]))) if part.text]


class ChatRoom:
    """Keeps the latest messages in memory; any thread may use it."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=MOST_KEPT)

    def post(self, markup: str) -> None:
        """Keep a message."""
        self._messages.appendleft(Message(markup))

    def latest_first(self) -> list[Message]:
        """Return every message, the latest first."""
        return list(self._messages)


class ChatPages:
    """The page of the pretend chat room."""

    def __init__(self, room: ChatRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Return the page's route."""
        return [Route("GET", "/chat", self.messages)]

    def messages(self, _request: Request) -> Response:
        """Show the messages, the latest first, and the address that the portal is to post to."""
        return render("mail/chat.html", {"messages": self._room.latest_first(), "address": WEBHOOK_URL})


class ChatServer(ThreadServer):
    """A proxy that leads to no other host than Slack's, for which it answers itself."""

    def __init__(self, port: int, room: ChatRoom, certificate: Path) -> None:
        super().__init__((HOST, port), _Connection)
        self.room = room
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server: ChatServer
    _host = ""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write no access log."""

    def handle(self) -> None:
        """Answer until the caller hangs up, which few of them say in TLS."""
        with suppress(OSError):
            super().handle()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def do_CONNECT(self) -> None:
        """Go on in TLS, as the host that was asked for."""
        self._host = self.path.partition(":")[0]
        if self._host != SLACK:
            self.send_error(502, "The demo reaches nothing outside")
            return
        self.send_response(200, "Connection established")
        self.end_headers()
        self.close_connection = False
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.setup()

    def do_POST(self) -> None:
        """Keep a message. Slack answers an address that it doesn't know with 404."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, MAX_BODY))
        if self._host != SLACK or self.path != PATH:
            self._answer(404, "no_service")
            return
        try:
            markup = str(json.loads(body)["text"])
        except (ValueError, LookupError, TypeError):
            self._answer(400, "invalid_payload")
            return
        self.server.room.post(markup)
        self._answer(200, "ok")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
