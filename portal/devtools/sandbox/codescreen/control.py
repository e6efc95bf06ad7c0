"""The control door of the pretend CodeScreen: candidates who act, switches, books."""

from typing import TYPE_CHECKING

from portal.devtools.sandbox.codescreen.reports import account_books, account_summary, describe
from portal.devtools.sandbox.codescreen.signature import is_secret
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance
from portal.devtools.sandbox.http import Refusal, Request, Response, json_response
from portal.devtools.sandbox.ids import Json, pick

if TYPE_CHECKING:
    from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox


class Control:
    """JSON under /_control/; faults never hit it."""

    def __init__(self, server: "CodeScreenSandbox") -> None:
        self._server = server
        add = server.router.add
        add("POST", "/_control/accounts", self.put_account, as_json=True)
        add("GET", "/_control/accounts/<account>", self.show_account, as_json=True)
        add("GET", "/_control/books", self.books, as_json=True)
        add("POST", "/_control/candidate", self.candidate, as_json=True)
        add("POST", "/_control/settings", self.change_settings, as_json=True)

    def put_account(self, request: Request) -> Response:
        """Add or replace an account."""
        body = request.json_object()
        slug = pick(body, "account", str, "")
        if not slug or not slug.replace("-", "").isalnum():
            raise Refusal(400, "account must be a word", "bad_request")
        document = {key: value for key, value in body.items() if key != "account"}
        return json_response(account_summary(self._server.add_account(slug, document)))

    def show_account(self, request: Request) -> Response:
        """Answer what an account holds."""
        account = self._account({"account": request.params["account"]})
        with account.lock:
            return json_response(account_summary(account))

    def books(self, request: Request) -> Response:
        """Answer what happened, per account."""
        wanted = request.arg("account")
        answer: Json = {}
        for account in [item for slug, item in self._server.accounts.items() if wanted in ("", slug)]:
            with account.lock:
                answer[account.slug] = account_books(account)
        return json_response({"accounts": answer, "pending_deliveries": self._server.sender.pending()})

    def candidate(self, request: Request) -> Response:
        """Let candidates act; one of them, or several under `items`."""
        body = request.json_object()
        shared = {key: value for key, value in body.items() if key != "items"}
        items = pick(body, "items", list, [{}])
        done = [self._act(shared | item) for item in items]
        return json_response({"items": done} if "items" in body else done[0])

    def change_settings(self, request: Request) -> Response:
        """Change settings of one account, or of all."""
        body = request.json_object()
        slug = body.pop("account", None)
        for name in ("webhook_secret", "webhook_previous_secret"):
            if body.get(name) and not is_secret(str(body[name])):
                raise Refusal(400, f"{name} must be whsec_ and 24 to 64 bytes in base64", "bad_request")
        chosen = list(self._server.accounts.values()) if slug is None else [self._account({"account": slug})]
        for account in chosen:
            with account.lock:
                account.settings.update(body)
        return json_response({"accounts": {item.slug: item.settings.describe() for item in chosen}})

    def _act(self, item: Json) -> Json:
        account, instance = self._find(item)
        action = item.get("action")
        steps = action if isinstance(action, list) else [action]
        with account.lock:
            for step in steps:
                self._server.journey.act(account, instance, str(step), item)
            return describe(instance)

    def _find(self, item: Json) -> tuple[CodeScreenAccount, Instance]:
        wanted = item.get("account")
        for account in self._server.accounts.values():
            if wanted not in (None, account.slug):
                continue
            if "instance" in item:
                found = account.instances.get(item["instance"])
            else:
                found = account.latest(pick(item, "email", str, ""), pick(item, "assessment", str, ""))
            if found is not None:
                return account, found
        raise Refusal(404, "no such candidate", "not_found")

    def _account(self, body: Json) -> CodeScreenAccount:
        account = self._server.accounts.get(pick(body, "account", str, ""))
        if account is None:
            raise Refusal(404, f"no such account: {body.get('account')}", "not_found")
        return account
