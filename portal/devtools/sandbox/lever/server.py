"""The pretend Lever's server: its routes, and how faults on it are counted."""

from typing import ClassVar

from portal.devtools.sandbox.lever import oauth
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.api import feedback, lookups, opportunities
from portal.devtools.sandbox.lever.api.calls import Api, caller_of
from portal.devtools.sandbox.lever.control import LeverControl
from portal.devtools.sandbox.lever.grants import Client
from portal.devtools.sandbox.lever.pages import LeverPages
from portal.devtools.sandbox.lever.platform import LeverPlatform
from portal.devtools.sandbox.lever.seed import acme, globex
from portal.devtools.sandbox.messages import HttpError, Request
from portal.devtools.sandbox.server import HOST, SandboxServer

DEMO_CLIENT_ID = "sandbox-client-id"
DEMO_CLIENT_SECRET = "sandbox-client-secret"
DEMO_REDIRECT_URIS = (
    "http://127.0.0.1:8000/oauth/complete/lever/",
    "http://localhost:8000/oauth/complete/lever/",
)
ENDPOINTS = [*opportunities.ENDPOINTS, *feedback.ENDPOINTS, *lookups.ENDPOINTS]
ROUTE_GROUPS = (oauth.TokenEndpoint, oauth.Consent, LeverPages)


class LeverSandbox(SandboxServer):
    """A pretend Lever; `start()` it, talk to `url`, `stop()` it."""

    server_name: ClassVar[str] = "lever-data-api"

    def __init__(self, port: int = 0, redirect_uris: tuple[str, ...] = DEMO_REDIRECT_URIS) -> None:
        super().__init__(port)
        client = Client(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, "CodeScreen", redirect_uris)
        self.platform = LeverPlatform(self.url, client)
        self.accounts, self.sender = self.platform.accounts, self.platform.sender
        self.grants = self.platform.grants
        for seed in (acme, globex):
            self.platform.add_account(seed(self.platform.sender))
        self.control = LeverControl(self.platform)
        self.router.add(Api(self.platform).routes(ENDPOINTS))
        self.router.add(self.control.routes())
        for group in ROUTE_GROUPS:
            self.router.add(group(self.platform).routes())

    @property
    def eu_url(self) -> str:
        """The address of the same server as the EU's Lever."""
        return self.url.replace(HOST, "localhost")

    def account_of(self, request: Request) -> LeverAccount | None:
        """Return the account of the access token, or of the refresh token being used."""
        if request.path == oauth.PATH:
            refresh_token = oauth.token_fields(request)["refresh_token"]
            return self.accounts.get(self.grants.account_of_refresh_token(refresh_token))
        caller = caller_of(self.platform, request)
        return self.accounts.get(caller.account) if caller else None

    def subject_of(self, request: Request) -> str:
        """Return the opportunity in the path, or the path itself."""
        return request.path_params.get("opportunity", request.path)

    def error_body(self, error: HttpError) -> object:
        """Return an error as Lever writes it."""
        return {"code": error.code or "Error", "message": error.message}
