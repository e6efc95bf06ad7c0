"""The pretend mail server: an SMTP port that takes e-mails, and pages that show them."""

from typing import ClassVar, Self

from portal.devtools.sandbox.faults import Fault
from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.mail.mailbox import Mailbox
from portal.devtools.sandbox.mail.pages import MailPages
from portal.devtools.sandbox.mail.smtp import SmtpServer
from portal.devtools.sandbox.server import SandboxServer


class MailSandbox(SandboxServer):
    """A pretend mail server; `start()` it, send to `smtp_port`, look at `url`, `stop()` it."""

    server_name: ClassVar[str] = "mail"

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, smtp_port: int = 0) -> None:
        super().__init__(host, port)
        self.mailbox = Mailbox()
        self._smtp = SmtpServer(host, smtp_port, self.mailbox.store)
        self.smtp_port = self._smtp.port
        self.router.add(MailPages(self.mailbox).routes())

    def start(self) -> Self:
        """Take e-mails and serve the pages in threads of their own."""
        self._smtp.start()
        return super().start()

    def stop(self) -> None:
        """Take and serve nothing more."""
        self._smtp.stop()
        super().stop()

    def account_slug(self, request: Request) -> str:
        """Return an empty string: it has no accounts."""
        return ""

    def record_fault(self, request: Request, fault: Fault, *, took_effect: bool) -> None:
        """Count nothing: it has no API that faults could hit."""

    def error_body(self, error: HttpError) -> object:
        """Return an error as JSON."""
        return {"error": {"code": error.code or "error", "message": error.message}}
