"""The pretend CodeScreen's server: its routes, and how faults on it are counted."""

from typing import ClassVar

from portal.devtools.sandbox.codescreen.api import Api, api_key
from portal.devtools.sandbox.codescreen.control import CodeScreenControl, ledger_subject
from portal.devtools.sandbox.codescreen.pages import CandidatePages, ReportPages, SettingsPages
from portal.devtools.sandbox.codescreen.platform import CodeScreenPlatform
from portal.devtools.sandbox.faults import Fault
from portal.devtools.sandbox.http.messages import HttpError, Request
from portal.devtools.sandbox.seed import seeded_accounts
from portal.devtools.sandbox.server import SandboxServer
from portal.devtools.sandbox.values import JsonObject

ROUTE_GROUPS = (Api, CodeScreenControl, CandidatePages, SettingsPages, ReportPages)


class CodeScreenSandbox(SandboxServer):
    """A pretend CodeScreen; `start()` it, talk to `url`, `stop()` it."""

    server_name: ClassVar[str] = "codescreen"

    def __init__(self, seed: JsonObject | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.api_url = f"{self.url}/api"
        self.platform = CodeScreenPlatform(self.url)
        for slug, account in seeded_accounts(seed, "codescreen").items():
            self.platform.add_account(slug, account)
        for group in ROUTE_GROUPS:
            self.router.add(group(self.platform).routes())

    def stop(self) -> None:
        """Stop serving and sending."""
        self.platform.sender.stop()
        super().stop()

    def account_slug(self, request: Request) -> str:
        """Return the account of the API key."""
        account = self.platform.account_with_key(api_key(request))
        return account.slug if account else ""

    def record_fault(self, request: Request, fault: Fault, *, took_effect: bool) -> None:
        """Count a fault on an invitation under its e-mail address and assessment."""
        account = self.platform.account_with_key(api_key(request))
        if account is None:
            return
        try:
            body = request.json_object()
        except HttpError:
            body = {}
        subject = ledger_subject(str(body.get("email", "")), str(body.get("assessmentId", "")))
        with account.lock:
            account.ledger.record_fault(subject, fault, took_effect=took_effect)

    def unknown_path(self, request: Request) -> HttpError:
        """Return the error that answers a path without a route."""
        return HttpError(404, f"{request.path} was not found", "not_found")

    def error_body(self, error: HttpError) -> object:
        """Return an error in the form that CodeScreen's contract agrees on."""
        return {"error": {"code": error.code or "error", "message": error.message}} | error.extra
