"""What the control APIs of both platforms share: finding accounts, and the ledger."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import ClassVar, Protocol

from portal.devtools.sandbox.http.messages import HttpError, Request, Response, json_response
from portal.devtools.sandbox.values import JsonObject, pick
from portal.devtools.sandbox.webhook_sender import WebhookSender


class Account(Protocol):
    """What the control API needs to know of an account."""

    slug: str

    @property
    def lock(self) -> AbstractContextManager[bool]:
        """What is held while the account is read or changed."""


class ControlApi[A: Account]:
    """A group of JSON calls under /_control/; faults never happen to them."""

    bad_request_code: ClassVar[str] = ""
    not_found_code: ClassVar[str] = ""

    def __init__(self, accounts: Mapping[str, A], sender: WebhookSender) -> None:
        self._accounts = accounts
        self._sender = sender

    def account(self, body: Mapping[str, object]) -> A:
        """Return the account a body names; raises a 404 HttpError."""
        account = self._accounts.get(pick(body, "account", str, ""))
        if account is None:
            raise HttpError(404, f"no such account: {body.get('account')}", self.not_found_code)
        return account

    def account_in_path(self, request: Request) -> A:
        """Return the account in the path; raises a 404 HttpError."""
        return self.account(request.path_params)

    def accounts(self, slug: str | None) -> list[A]:
        """Return the account of that slug, or every account for None; raises a 404 HttpError."""
        return list(self._accounts.values()) if slug is None else [self.account({"account": slug})]

    def new_slug(self, body: JsonObject) -> str:
        """Return the slug that a body names for an account to add; raises a 400 HttpError."""
        slug = pick(body, "account", str, "")
        if not slug or not slug.replace("-", "").isalnum():
            raise HttpError(400, "account must be a word", self.bad_request_code)
        return slug

    def ledgers(self, request: Request, describe: Callable[[A], JsonObject]) -> Response:
        """Answer what happened per account, or in the one that the query names."""
        slug = request.args.get("account", "")
        ledgers: JsonObject = {}
        for account in [known for known in self._accounts.values() if slug in ("", known.slug)]:
            with account.lock:
                ledgers[account.slug] = describe(account)
        return json_response({"accounts": ledgers, "pending_deliveries": self._sender.pending()})
