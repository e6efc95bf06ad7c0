"""The pretend chat room: it stands in for Slack's webhooks, and shows what was posted on a page.

The portal posts to no address but one of Slack or Teams. So the demo names this server in `HTTPS_PROXY`, as a company
names its own proxy: the portal asks it for hooks.slack.com, and is answered with the certificate that the demo trusts.
Nothing leaves this machine.
"""

import json
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from html import escape
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from portal.devtools.sandbox.connections import ThreadServer
from portal.devtools.sandbox.server import HOST

SLACK = "hooks.slack.com"
PATH = "/services/T0DEMO/B0DEMO/pretend"
#: What is entered in the portal's settings.
WEBHOOK_URL = f"https://{SLACK}{PATH}"
IDLE_SECONDS = 60
#: A link in Slack's markup, its brackets escaped.
_LINK = re.compile(r"&lt;(https?://[^|]+?)\|(.+?)&gt;")


def shown(markup: str) -> list[str]:
    """Return a message's lines as HTML: the title, and the others. Slack's markup escapes three characters itself."""
    linked = _LINK.sub(r'<a href="\1">\2</a>', escape(markup))
    title, *lines = re.sub(r"&amp;(amp|lt|gt);", r"&\1;", linked).split("\n")
    return [title.strip("*"), *lines]


class ChatServer(ThreadServer):
    """A proxy that leads to no other host than Slack's, for which it answers itself and hands messages to `keep`."""

    def __init__(self, port: int, keep: Callable[[str], object], certificate: Path) -> None:
        super().__init__((HOST, port), _Connection)
        self.keep = keep
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
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self._host != SLACK or self.path != PATH:
            self._answer(404, "no_service")
            return
        try:
            markup = str(json.loads(body)["text"])
        except (ValueError, LookupError, TypeError):
            self._answer(400, "invalid_payload")
            return
        self.server.keep(markup)
        self._answer(200, "ok")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
