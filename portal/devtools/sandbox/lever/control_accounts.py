"""The control door: accounts, settings, and the books afterwards."""

from typing import TYPE_CHECKING

from portal.devtools.sandbox.http import Refusal, Request, Response, json_response
from portal.devtools.sandbox.ids import Json, pick, text_list
from portal.devtools.sandbox.lever.control_common import Door
from portal.devtools.sandbox.lever.loading import generate
from portal.devtools.sandbox.lever.reports import account_books, account_summary

if TYPE_CHECKING:
    from portal.devtools.sandbox.lever.server import LeverSandbox


class AccountDoor(Door):
    """What an evaluator does before and after."""

    def __init__(self, server: "LeverSandbox") -> None:
        super().__init__(server)
        self.add(
            (
                ("POST", "accounts", self.put_account),
                ("GET", "accounts/<account>", self.show_account),
                ("GET", "books", self.books),
                ("POST", "settings", self.change_settings),
            )
        )

    def put_account(self, request: Request) -> Response:
        """Add or replace an account; with `keep`, only generate candidates in the one there is."""
        body = request.json_object()
        slug = pick(body, "account", str, "")
        if not slug or not slug.replace("-", "").isalnum():
            raise Refusal(400, "account must be a word")
        generated: list[str] = []
        document = {key: value for key, value in body.items() if key not in ("account", "keep", "generate")}
        existing = self.server.account(slug)
        account = existing if body.get("keep") and existing else self.server.add_account(slug, document)
        if "generate" in body:
            with account.lock:
                generated = generate(account, body["generate"])
        return json_response(account_summary(account) | {"generated": generated})

    def show_account(self, request: Request) -> Response:
        """Answer what an account holds."""
        account = self.server.account(request.params["account"])
        if account is None:
            raise Refusal(404, "no such account")
        with account.lock:
            grants = self.server.grants.of_account(account.slug)
            return json_response(account_summary(account) | {"grants": len(grants)})

    def books(self, request: Request) -> Response:
        """Answer what happened, per account."""
        wanted = request.arg("account")
        chosen = [item for slug, item in self.server.accounts.items() if wanted in ("", slug)]
        answer: Json = {}
        for account in chosen:
            with account.lock:
                answer[account.slug] = account_books(account)
        return json_response({"accounts": answer, "pending_deliveries": self.server.sender.pending()})

    def change_settings(self, request: Request) -> Response:
        """Change settings of one account, or of all; `redirect_uris` registers further ones."""
        body = request.json_object()
        slug = body.pop("account", None)
        self.server.grants.client.redirect_uris.update(text_list(body.pop("redirect_uris", None)))
        if slug is None:
            self.server.defaults.update(body)
        accounts = list(self.server.accounts.values()) if slug is None else [self.account({"account": slug})]
        for account in accounts:
            with account.lock:
                account.settings.update(body)
        return json_response({"accounts": {item.slug: item.settings.describe() for item in accounts}})
