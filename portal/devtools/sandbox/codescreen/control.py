"""The control API of the pretend CodeScreen: candidates who act, settings, the ledger."""

from typing import ClassVar

from portal.devtools.sandbox.codescreen.account_reports import account_ledger, account_summary, describe
from portal.devtools.sandbox.codescreen.platform import CodeScreenPlatform
from portal.devtools.sandbox.codescreen.signature import is_secret
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance
from portal.devtools.sandbox.control_api import ControlApi
from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response, json_response
from portal.devtools.sandbox.http.routing import Route, control_route
from portal.devtools.sandbox.json_values import JsonObject, pick


class CodeScreenControl(ControlApi[CodeScreenAccount]):
    """The pretend CodeScreen's control calls."""

    bad_request_code: ClassVar[str] = "bad_request"
    not_found_code: ClassVar[str] = "not_found"

    def __init__(self, platform: CodeScreenPlatform) -> None:
        super().__init__(platform.accounts, platform.sender)
        self._platform = platform

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            control_route("POST", "accounts", self.put_account),
            control_route("GET", "accounts/<account>", self.show_account),
            control_route("GET", "ledger", self.ledger),
            control_route("POST", "candidate", self.candidate),
            control_route("POST", "settings", self.change_settings),
        ]

    def put_account(self, request: Request) -> Response:
        """Add or replace an account."""
        body = request.json_object()
        slug = self.new_slug(body)
        document = {key: value for key, value in body.items() if key != "account"}
        return json_response(account_summary(self._platform.add_account(slug, document)))

    def show_account(self, request: Request) -> Response:
        """Answer what an account holds."""
        account = self.account_in_path(request)
        with account.lock:
            return json_response(account_summary(account))

    def ledger(self, request: Request) -> Response:
        """Answer what happened, per account."""
        return self.ledgers(request, account_ledger)

    def candidate(self, request: Request) -> Response:
        """Let candidates act; one of them, or several under `items`."""
        body = request.json_object()
        shared = {key: value for key, value in body.items() if key != "items"}
        items: list[JsonObject] = pick(body, "items", list, [{}])
        done = [self._act(shared | item) for item in items]
        return json_response({"items": done} if "items" in body else done[0])

    def change_settings(self, request: Request) -> Response:
        """Change settings of one account, or of all."""
        body = request.json_object()
        slug = body.pop("account", None)
        for name in ("webhook_secret", "webhook_previous_secret"):
            if body.get(name) and not is_secret(str(body[name])):
                raise HttpError(400, f"{name} must be whsec_ and 24 to 64 bytes in base64", "bad_request")
        accounts = self.accounts(slug)
        for account in accounts:
            with account.lock:
                account.settings.update(body)
        return json_response({"accounts": {item.slug: item.settings.describe() for item in accounts}})

    def _act(self, item: JsonObject) -> JsonObject:
        account, instance = self._find(item)
        action = item.get("action")
        steps = action if isinstance(action, list) else [action]
        with account.lock:
            for step in steps:
                self._platform.journey.act(account, instance, str(step), item)
            return describe(instance)

    def _find(self, item: JsonObject) -> tuple[CodeScreenAccount, Instance]:
        wanted = item.get("account")
        for account in self._platform.accounts.values():
            if wanted not in (None, account.slug):
                continue
            if "instance" in item:
                found = account.instances.get(item["instance"])
            else:
                found = account.latest(pick(item, "email", str, ""), pick(item, "assessment", str, ""))
            if found is not None:
                return account, found
        raise HttpError(404, "no such candidate", "not_found")
