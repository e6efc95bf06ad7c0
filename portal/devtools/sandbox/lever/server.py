"""The pretend Lever's server: accounts, grants, routes."""

from typing import ClassVar
from urllib.parse import unquote, urlsplit

from portal.devtools.sandbox.faults import Fault
from portal.devtools.sandbox.http import Refusal, Request
from portal.devtools.sandbox.ids import Json, pick
from portal.devtools.sandbox.lever import (
    api_candidates,
    api_feedback,
    api_files,
    api_lookups,
    api_notes,
    api_opportunities,
    api_templates,
    api_webhooks,
)
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.api import Api, bearer
from portal.devtools.sandbox.lever.control_accounts import AccountDoor
from portal.devtools.sandbox.lever.control_candidates import CandidateDoor
from portal.devtools.sandbox.lever.control_grants import GrantDoor
from portal.devtools.sandbox.lever.control_webhooks import WebhookDoor
from portal.devtools.sandbox.lever.loading import build_account
from portal.devtools.sandbox.lever.oauth import Client, Grants
from portal.devtools.sandbox.lever.oauth_pages import OAuthPages, token_fields
from portal.devtools.sandbox.lever.pages_candidates import CandidatePages
from portal.devtools.sandbox.lever.pages_postings import PostingPages
from portal.devtools.sandbox.lever.pages_settings import SettingsPages
from portal.devtools.sandbox.lever.settings import LeverSettings
from portal.devtools.sandbox.seed import default_seed
from portal.devtools.sandbox.server import SandboxServer
from portal.devtools.sandbox.webhooks import WebhookSender

DEMO_CLIENT_ID = "sandbox-client-id"
DEMO_CLIENT_SECRET = "sandbox-client-secret"
DEMO_REDIRECT_URIS = (
    "http://127.0.0.1:8000/oauth/complete/lever/",
    "http://localhost:8000/oauth/complete/lever/",
)
TABLES = (
    api_opportunities.TABLE,
    api_candidates.TABLE,
    api_notes.TABLE,
    api_templates.TABLE,
    api_feedback.TABLE,
    api_files.TABLE,
    api_lookups.TABLE,
    api_webhooks.TABLE,
)
PARTS = (
    AccountDoor,
    CandidateDoor,
    WebhookDoor,
    GrantDoor,
    CandidatePages,
    PostingPages,
    SettingsPages,
)


class LeverSandbox(SandboxServer):
    """A pretend Lever; `start()` it, talk to `url`, `stop()` it."""

    server_name: ClassVar[str] = "lever-data-api"

    def __init__(
        self,
        seed: Json | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        client_id: str = DEMO_CLIENT_ID,
        client_secret: str = DEMO_CLIENT_SECRET,
        redirect_uris: tuple[str, ...] = DEMO_REDIRECT_URIS,
        settings: Json | None = None,
    ) -> None:
        super().__init__(host, port)
        self.defaults = LeverSettings()
        self.defaults.update(settings or {})
        self.sender = WebhookSender("Lever-Webhooks", timeout=5, heeds_answers=False)
        self.accounts: dict[str, LeverAccount] = {}
        names = {urlsplit(self.url).netloc.rpartition(":")[0], "127.0.0.1", "localhost"}
        self.audiences = {f"http://{name}:{self.port}/v1/" for name in names}
        client = Client(client_id, client_secret, "CodeScreen", set(redirect_uris))
        self.grants = Grants(f"{self.url}/", f"{self.url}/v1/", client)
        document = default_seed() if seed is None else seed
        for slug, account in pick(pick(document, "lever", dict, {}), "accounts", dict, {}).items():
            self.add_account(slug, account)
        api = Api(self, self.router)
        for table in TABLES:
            api.register(table)
        self.oauth = OAuthPages(self)
        for part in PARTS:
            part(self)

    def stop(self) -> None:
        """Stop serving and sending."""
        self.sender.stop()
        super().stop()

    def add_account(self, slug: str, document: Json) -> LeverAccount:
        """Add an account, or replace the one of that slug and with it its grants."""
        account = build_account(slug, document, self.sender, self.defaults)
        self.grants.revoke(slug)
        self.accounts[slug] = account
        return account

    def account(self, slug: str) -> LeverAccount | None:
        """Return an account by its slug."""
        return self.accounts.get(slug)

    def account_of(self, request: Request) -> str:
        """Return the account of the access token, or of the refresh token being used."""
        if request.path == "/oauth/token":
            return self.grants.holder(token_fields(request)["refresh_token"])
        token = self.grants.access(bearer(request))
        return token.account if token else ""

    def note_fault(self, request: Request, fault: Fault, *, took_effect: bool) -> None:
        """Remember a fault under the opportunity in the path, or under the path itself."""
        account = self.account(self.account_of(request))
        if account is None:
            return
        subject = request.params.get("opportunity", unquote(request.path))
        with account.lock:
            account.books.note_fault(subject, fault, took_effect=took_effect)

    def error_body(self, refusal: Refusal) -> object:
        """Return an error as Lever writes it."""
        return {"code": refusal.code or "Error", "message": refusal.message}
