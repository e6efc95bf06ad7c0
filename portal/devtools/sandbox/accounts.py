"""What the accounts of both platforms share: what people do in them, the frame of their pages, and settings."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, fields
from threading import RLock
from typing import Any, ClassVar
from urllib.parse import urlencode

from portal.devtools.sandbox.messages import (
    HttpError,
    Request,
    Response,
    Route,
    json_response,
    redirect,
    render,
)
from portal.devtools.sandbox.values import JsonObject, pick
from portal.devtools.sandbox.webhook_sender import WebhookSender


@dataclass
class RuntimeSettings:
    """A set of named settings; subclasses add the fields."""

    def update(self, document: JsonObject) -> None:
        """Change the settings a JSON object names; raises a 400 HttpError for unknown ones or wrong types."""
        known = {item.name for item in fields(self)}
        for name in document:
            if name not in known:
                raise HttpError(400, f"unknown setting {name}; known are {', '.join(sorted(known))}")
        changes = {name: _cast(value, getattr(self, name), name) for name, value in document.items()}
        for name, value in changes.items():
            setattr(self, name, value)


def _cast(value: object, current: object, name: str) -> object:
    """Return a value as the type of the current one; raises a 400 HttpError where it has another type."""
    if isinstance(current, bool) and value in ("on", "off"):  # a page's switch
        return value == "on"
    if isinstance(current, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(current, list) and isinstance(value, list):
        return [float(item) for item in value if isinstance(item, int | float)]
    if type(value) is not type(current):
        raise HttpError(400, f"setting {name} has the wrong type")
    return value


class Account[S: RuntimeSettings]:
    """A customer's account; hold `lock` while reading or changing it."""

    def __init__(self, slug: str, name: str, settings: S) -> None:
        self.slug = slug
        self.name = name
        self.settings = settings
        self.lock = RLock()
        #: How many writes a fault left open, by the opportunity or the e-mail address that they concerned.
        self.ambiguous: Counter[str] = Counter()


#: What a body has beside an act's own fields: the account, and for a form the page to show and what it says.
BESIDE = frozenset({"account", "here", "done"})


class ControlApi[A: Account[Any]]:
    """What people do in an account, by JSON calls under /_control/ and by the forms of its pages; faults spare both.

    Each method `do_…` is an act, of that name; it raises HttpError for what can't be done.
    """

    #: Those during which the account isn't locked.
    unlocked: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, accounts: Mapping[str, A], sender: WebhookSender) -> None:
        self._accounts = accounts
        self._sender = sender

    def routes(self) -> list[Route]:
        """Return the routes of calls and forms."""
        return [
            Route("GET", "/_control/ledger", self.ledgers),
            Route("POST", "/_control/<act>", self._by_call),
            Route("POST", "/<account:account>/do/<act>", self._by_form),
        ]

    def describe(self, account: A) -> JsonObject:
        """Return what happened in an account."""
        raise NotImplementedError

    def _by_call(self, request: Request) -> Response:
        return json_response(self.act(request.path_params["act"], request.json_object()))

    def _by_form(self, request: Request) -> Response:
        """Do what a form of a page asks for, and lead back to the page `here`, which says `done` about the answer."""
        form, params = request.form, request.path_params
        here, done = form.get("here", "/"), form.get("done", "Done.")
        body: JsonObject = {name: values if len(values) > 1 else values[0] for name, values in form.lists()}
        try:
            answer = self.act(params["act"], body | {"account": params["account"]})
        except HttpError as error:
            return back(here, problem=f"{error.message[:1].upper()}{error.message[1:]}.")
        said = done.format(**answer)
        return back(here, problem=said) if answer.get("ok") is False else back(here, done=said)

    def act(self, name: str, body: JsonObject) -> JsonObject:
        """Do something in the account that a body names, and return the answer; raises HttpError."""
        act, account = getattr(self, f"do_{name.replace('-', '_')}", None), self.account(body)
        if act is None:
            raise HttpError(404, f"there is no act {name}")
        with nullcontext() if name in self.unlocked else account.lock:
            answer: JsonObject = act(account, body)
            return answer

    def account(self, body: Mapping[str, object]) -> A:
        """Return the account a body names; raises a 404 HttpError."""
        account = self._accounts.get(pick(body, "account", str, ""))
        if account is None:
            raise HttpError(404, f"no such account: {body.get('account')}")
        return account

    def do_settings(self, account: A, body: JsonObject) -> JsonObject:
        """Change settings of an account; raises a 400 HttpError."""
        account.settings.update({name: value for name, value in body.items() if name not in BESIDE})
        return {}

    def ledgers(self, request: Request) -> Response:
        """Answer what happened per account, or in the one that the query names."""
        slug = request.args.get("account", "")
        ledgers: JsonObject = {}
        for account in [known for known in self._accounts.values() if slug in ("", known.slug)]:
            with account.lock:
                ledgers[account.slug] = self.describe(account)
        return json_response({"accounts": ledgers, "pending_deliveries": self._sender.pending()})


#: How many rows of a list its page shows.
SHOWN = 100


class AccountPages[A: Account[Any]]:
    """A group of pages under /<account>/; their head has a brand, a notice, and entries by their paths there."""

    #: Where their templates are.
    folder: ClassVar[str]
    brand: ClassVar[str]
    notice: ClassVar[str]
    tabs: ClassVar[Mapping[str, str]]

    def __init__(self, accounts: Mapping[str, A]) -> None:
        self._accounts = accounts

    def account(self, request: Request) -> A:
        """Return the account in the path; raises a 404 HttpError."""
        account = self._accounts.get(request.path_params["account"])
        if account is None:
            raise HttpError(404, "There is no such account here.")
        return account

    def route(self, method: str, path: str, answer: Callable[[Request, A], Response]) -> Route:
        """Return the route of a page under /<account>, which is answered while that account is locked."""

        def answer_locked(request: Request) -> Response:
            account = self.account(request)
            with account.lock:
                return answer(request, account)

        return Route(method, f"/<account:account>{path}", answer_locked)

    def show(self, request: Request, account: A, template: str, tab: str, **context: object) -> Response:
        """Return a page in the account's frame; hold the account's lock."""
        above = f"/{account.slug}/"
        frame = {
            "brand": self.brand,
            "notice": self.notice,
            "tabs": {above + path: label for path, label in self.tabs.items()},
            "tab": above + tab,
            "account": account,
            "accounts": list(self._accounts.values()),
            "here": request.path,
            "done": request.args.get("done", ""),
            "problem": request.args.get("problem", ""),
        }
        return render(f"{self.folder}/{template}", frame | context)


def back(path: str, done: str = "", problem: str = "") -> Response:
    """Return a redirect to a page that then says what was done, or what the problem is."""
    message = {key: value for key, value in (("done", done), ("problem", problem)) if value}
    separator = "&" if "?" in path else "?"
    return redirect(f"{path}{separator}{urlencode(message)}" if message else path)
