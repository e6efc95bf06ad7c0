"""The pretend mail server: it takes every e-mail, delivers none, and shows them, and a chat room, on its pages."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from socketserver import StreamRequestHandler
from typing import ClassVar, Self

from portal.devtools.sandbox.accounts import SHOWN
from portal.devtools.sandbox.chat import WEBHOOK_URL, ChatServer, shown
from portal.devtools.sandbox.connections import ThreadServer
from portal.devtools.sandbox.messages import (
    HttpError,
    Request,
    Response,
    Route,
    html_response,
    redirect,
    render,
)
from portal.devtools.sandbox.server import HOST, SandboxServer
from portal.devtools.sandbox.values import new_id, now_ms, readable

MOST_KEPT = 2000


@dataclass(frozen=True, slots=True)
class StoredEmail:
    """One e-mail, its two bodies as text."""

    sender: str
    recipients: str
    subject: str
    text: str
    html: str
    id: str = field(default_factory=new_id)
    at: int = field(default_factory=now_ms)


class Mailbox:
    """Keeps e-mails and the chat room's messages in memory; any thread may use it."""

    def __init__(self) -> None:
        self.emails: deque[StoredEmail] = deque(maxlen=MOST_KEPT)  # the latest first, as the messages
        self.messages: deque[tuple[int, list[str]]] = deque(maxlen=MOST_KEPT)

    def store(self, recipients: Sequence[str], raw: bytes) -> None:
        """Keep an e-mail as it came over SMTP; the oldest goes when there are too many."""
        message = message_from_bytes(raw, policy=policy.default)
        email = StoredEmail(
            sender=str(message.get("From", "")),
            recipients=", ".join(recipients),
            subject=str(message.get("Subject", "")) or "(no subject)",
            text=_body(message, "plain"),
            html=_body(message, "html"),
        )
        self.emails.appendleft(email)

    def store_message(self, markup: str) -> None:
        """Keep a message of the chat room."""
        self.messages.appendleft((now_ms(), shown(markup)))


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    content = part.get_content() if part is not None else ""
    return content if isinstance(content, str) else ""


IDLE_SECONDS = 60

type Deliver = Callable[[Sequence[str], bytes], object]


class SmtpServer(ThreadServer):
    """Hands every message to `deliver(recipients, raw)`; its callers are polite, so commands come in order."""

    def __init__(self, port: int, deliver: Deliver) -> None:
        super().__init__((HOST, port), _Session)
        self.deliver = deliver


class _Session(StreamRequestHandler):
    server: SmtpServer
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def handle(self) -> None:
        recipients: list[str] = []
        with suppress(OSError):  # the sender hung up
            self._answer("220 sandbox ESMTP")
            while line := self.rfile.readline().decode("utf-8", "replace"):
                match line[:4].upper():
                    case "EHLO":
                        self._answer("250-sandbox\r\n250-8BITMIME\r\n250 SMTPUTF8")
                        continue
                    case "RCPT":
                        recipients.append(line.partition("<")[2].partition(">")[0])
                    case "DATA":
                        self._answer("354 End with a dot on a line of its own")
                        self.server.deliver(tuple(recipients), self._message())
                        recipients.clear()
                    case "QUIT":
                        self._answer("221 Bye")
                        return
                self._answer("250 OK")

    def _message(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _answer(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


#: What an e-mail's HTML may do on its page: look as it should, and open its links in a new tab.
FRAME = "allow-popups allow-popups-to-escape-sandbox"
POLICY = f"default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; sandbox {FRAME}"
NEW_TAB = '<base target="_blank">'

HEAD = {
    "brand": "Message sandbox",
    "notice": "A pretend mail server and chat room for trying things out. Nothing leaves this machine.",
    "tabs": {"/emails": "E-mails", "/chat": "Chat room"},
}


def _page(name: str, **context: object) -> Response:
    return render(f"mail/{name}.html", HEAD | context)


class MailPages:
    """The pages of the pretend mail server."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        return [
            Route("GET", "/", self.home),
            Route("GET", "/emails", self.emails),
            Route("GET", "/emails/<email>", self.email),
            Route("GET", "/emails/<email>/html", self.html),
            Route("GET", "/chat", self.chat),
        ]

    def home(self, _request: Request) -> Response:
        """Lead to the list."""
        return redirect("/emails")

    def emails(self, request: Request) -> Response:
        """Show the e-mails, the latest first; `q` finds words of the subject or the address."""
        query = request.args.get("q", "").strip()
        found = [
            email
            for email in list(self._mailbox.emails)
            if query.casefold() in f"{email.subject} {email.recipients}".casefold()
        ]
        return _page("emails", rows=found[:SHOWN], total=len(found), q=query)

    def email(self, request: Request) -> Response:
        """Show one e-mail."""
        email = self._find(request)
        facts = {"From": email.sender, "To": email.recipients, "Sent": readable(email.at)}
        return _page("email", email=email, facts=facts, frame=FRAME)

    def chat(self, _request: Request) -> Response:
        """Show the chat room, the latest first, and the address that the portal is to post to."""
        return _page("chat", messages=list(self._mailbox.messages), address=WEBHOOK_URL)

    def html(self, request: Request) -> Response:
        """Answer an e-mail's HTML for the frame on its page."""
        html = self._find(request).html
        head = html.lower().find("<head>")
        at = head + len("<head>") if head >= 0 else 0
        response = html_response(f"{html[:at]}{NEW_TAB}{html[at:]}")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    def _find(self, request: Request) -> StoredEmail:
        for email in list(self._mailbox.emails):
            if email.id == request.path_params["email"]:
                return email
        raise HttpError(404, "There is no such e-mail.")


class MailSandbox(SandboxServer):
    """A pretend mail server and chat room; `start()` it, send to `smtp_port`, look at `url`, `stop()` it.

    With a file for its certificate it also serves the chat room, at `chat_port`.
    """

    server_name: ClassVar[str] = "mail"

    def __init__(
        self, port: int = 0, smtp_port: int = 0, chat_port: int = 0, certificate: Path | None = None
    ) -> None:
        super().__init__(port)
        self.mailbox = Mailbox()
        smtp = SmtpServer(smtp_port, self.mailbox.store)
        self.smtp_port = smtp.port
        self._servers: list[ThreadServer] = [smtp]
        self.chat_port = chat_port
        if certificate is not None:
            chat = ChatServer(chat_port, self.mailbox.store_message, certificate)
            self.chat_port = chat.port
            self._servers.append(chat)
        self.router.add(MailPages(self.mailbox).routes())

    def start(self) -> Self:
        """Take messages and serve the pages in threads of their own."""
        for server in self._servers:
            server.start()
        return super().start()

    def stop(self) -> None:
        """Take and serve nothing more."""
        for server in self._servers:
            server.stop()
        super().stop()
