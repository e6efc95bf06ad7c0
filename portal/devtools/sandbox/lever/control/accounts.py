"""Control calls about accounts: their content, their settings, and the ledger."""

from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response, json_response
from portal.devtools.sandbox.http.routing import Route, control_route
from portal.devtools.sandbox.json_values import text_list
from portal.devtools.sandbox.lever.behaviour.loading import generate
from portal.devtools.sandbox.lever.control.base import LeverControl
from portal.devtools.sandbox.lever.control.reports import account_ledger, account_summary


class AccountControl(LeverControl):
    """Sets accounts up before a run, and reports on them afterwards."""

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            control_route("POST", "accounts", self.put_account),
            control_route("GET", "accounts/<account>", self.show_account),
            control_route("GET", "ledger", self.ledger),
            control_route("POST", "settings", self.change_settings),
        ]

    def put_account(self, request: Request) -> Response:
        """Add or replace an account; with `keep`, only generate candidates in the one there is."""
        body = request.json_object()
        slug = self.new_slug(body)
        document = {key: value for key, value in body.items() if key not in ("account", "keep", "generate")}
        existing = self._platform.accounts.get(slug)
        account = existing if body.get("keep") and existing else self._platform.add_account(slug, document)
        generated: list[str] = []
        if "generate" in body:
            with account.lock:
                generated = generate(account, body["generate"])
        return json_response(account_summary(account) | {"generated": generated})

    def show_account(self, request: Request) -> Response:
        """Answer what an account holds."""
        account = self.account_in_path(request)
        with account.lock:
            grants = self._platform.grants.of_account(account.slug)
            return json_response(account_summary(account) | {"grants": len(grants)})

    def ledger(self, request: Request) -> Response:
        """Answer what happened, per account."""
        return self.ledgers(request, account_ledger)

    def change_settings(self, request: Request) -> Response:
        """Change settings of one account, or of all; `redirect_uris` registers further ones."""
        body = request.json_object()
        slug = body.pop("account", None)
        redirect_uris = text_list(body.pop("redirect_uris", None))
        self._platform.grants.client.redirect_uris.update(redirect_uris)
        if slug is None:
            self._platform.defaults.update(body)
        accounts = self.accounts(slug)
        for account in accounts:
            with account.lock:
                account.settings.update(body)
        return json_response(
            {"accounts": {account.slug: account.settings.describe() for account in accounts}}
        )
