"""The pretend CodeScreen's server: accounts, keys, routes."""

from typing import ClassVar

from portal.devtools.sandbox.codescreen.api import Api, api_key
from portal.devtools.sandbox.codescreen.control import Control
from portal.devtools.sandbox.codescreen.journey import Journey
from portal.devtools.sandbox.codescreen.loading import build_account
from portal.devtools.sandbox.codescreen.pages import CodeScreenPages
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance
from portal.devtools.sandbox.faults import Fault
from portal.devtools.sandbox.http import Refusal, Request
from portal.devtools.sandbox.ids import Json, pick
from portal.devtools.sandbox.seed import default_seed
from portal.devtools.sandbox.server import SandboxServer
from portal.devtools.sandbox.webhooks import WebhookSender


class CodeScreenSandbox(SandboxServer):
    """A pretend CodeScreen; `start()` it, talk to `url`, `stop()` it."""

    server_name: ClassVar[str] = "codescreen"

    def __init__(self, seed: Json | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.api_url = f"{self.url}/api"
        self.sender = WebhookSender("CodeScreen-Webhooks", timeout=15, heeds_answers=True)
        self.journey = Journey(self.sender, self.url)
        self.accounts: dict[str, CodeScreenAccount] = {}
        self._by_key: dict[str, CodeScreenAccount] = {}
        self._reports: dict[tuple[str, str], tuple[CodeScreenAccount, Instance]] = {}
        document = default_seed() if seed is None else seed
        for slug, account in pick(pick(document, "codescreen", dict, {}), "accounts", dict, {}).items():
            self.add_account(slug, account)
        Api(self)
        Control(self)
        CodeScreenPages(self)

    def stop(self) -> None:
        """Stop serving and sending."""
        self.sender.stop()
        super().stop()

    def add_account(self, slug: str, document: Json) -> CodeScreenAccount:
        """Add an account, or replace the one of that slug."""
        account = build_account(slug, document)
        earlier = self.accounts.get(slug)
        if earlier is not None:
            self._by_key.pop(earlier.api_key, None)
        self.accounts[slug] = account
        self._by_key[account.api_key] = account
        return account

    def change_key(self, account: CodeScreenAccount, key: str) -> None:
        """Give an account another API key; the old one stops working at once."""
        self._by_key.pop(account.api_key, None)
        account.api_key = key
        self._by_key[key] = account

    def account_with_key(self, key: str) -> CodeScreenAccount | None:
        """Return the account an API key belongs to."""
        return self._by_key.get(key)

    def account_of(self, request: Request) -> str:
        """Return the account of the API key."""
        account = self.account_with_key(api_key(request))
        return account.slug if account else ""

    def report_url(self, instance: Instance) -> str:
        """Return the address of a candidate's report."""
        return f"{self.url}/client-result/1/{instance.report[0]}/{instance.report[1]}"

    def remember_report(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Make a report findable by the two ids in its address."""
        self._reports[instance.report] = (account, instance)

    def find_report(self, first: str, second: str) -> tuple[CodeScreenAccount, Instance] | None:
        """Return whose report is at an address."""
        return self._reports.get((first, second))

    def note_fault(self, request: Request, fault: Fault, *, took_effect: bool) -> None:
        """Remember a fault on an invitation under its e-mail address and assessment."""
        account = self.accounts.get(self.account_of(request))
        if account is None:
            return
        try:
            body = request.json_object()
        except Refusal:
            body = {}
        subject = subject_of(str(body.get("email", "")), str(body.get("assessmentId", "")))
        with account.lock:
            account.books.note_fault(subject, fault, took_effect=took_effect)

    def unknown_route(self, request: Request) -> Refusal:
        """Return what an unknown path is answered with."""
        return Refusal(404, f"{request.path} was not found", "not_found")

    def error_body(self, refusal: Refusal) -> object:
        """Return an error in the shape the contract agrees on."""
        return {"error": {"code": refusal.code or "error", "message": refusal.message}} | refusal.extra


def subject_of(email: str, assessment_id: str) -> str:
    """Return the name under which the books keep one person and one assessment."""
    return f"{email.strip().casefold()} {assessment_id}"
