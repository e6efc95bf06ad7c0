"""What every page under an account's address shares: the account, the frame, tables, and the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol
from urllib.parse import urlencode

from portal.devtools.sandbox.http.messages import HttpError, Request, Response, redirect, render

PAGE_SIZE = 100


class Account(Protocol):
    """What the frame of a page shows of an account."""

    slug: str
    name: str


class AccountPages[A: Account]:
    """A group of pages under /<account>/; `folder` is where their templates are."""

    folder: ClassVar[str]

    def __init__(self, accounts: Mapping[str, A]) -> None:
        self._accounts = accounts

    def account(self, request: Request) -> A:
        """Return the account in the path; raises a 404 HttpError."""
        account = self._accounts.get(request.path_params["account"])
        if account is None:
            raise HttpError(404, "There is no such account here.")
        return account

    def frame(self, request: Request, account: A) -> dict[str, object]:
        """Return what the frame around every page shows."""
        return {
            "account": account,
            "accounts": list(self._accounts.values()),
            "done": request.args.get("done", ""),
            "problem": request.args.get("problem", ""),
        }

    def show(self, request: Request, account: A, template: str, tab: str, **context: object) -> Response:
        """Return a page in the account's frame; hold the account's lock."""
        return render(f"{self.folder}/{template}", self.frame(request, account) | {"tab": tab} | context)

    def show_table(
        self,
        request: Request,
        account: A,
        template: str,
        tab: str,
        *,
        title: str,
        headings: Sequence[str],
        rows: Sequence[object],
        if_empty: str = "",
        base: str = "base.html",
        **context: object,
    ) -> Response:
        """Return a page that is a table; its template, on top of `table_page.html`, shows a `row`."""
        table = {
            "base": f"{self.folder}/{base}",
            "title": title,
            "headings": headings,
            "rows": rows,
            "if_empty": if_empty,
        }
        return self.show(request, account, template, tab, **table, **context)


@dataclass(frozen=True, slots=True)
class PageLinks:
    """The numbers of the pages before and after a page of a list; 0 where there is none."""

    previous: int
    next: int


def page_number(request: Request) -> int:
    """Return the number of the page of a list that is asked for, from 1."""
    text = request.args.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdecimal() else 1


def page_of[T](items: Sequence[T], number: int) -> tuple[Sequence[T], PageLinks]:
    """Return the items on a page of a list, and the links to the pages before and after it."""
    start = (number - 1) * PAGE_SIZE
    has_next = start + PAGE_SIZE < len(items)
    return items[start : start + PAGE_SIZE], PageLinks(number - 1, number + 1 if has_next else 0)


def back(path: str, done: str = "", problem: str = "") -> Response:
    """Return a redirect to a page that then says what was done, or what the problem is."""
    message = {key: value for key, value in (("done", done), ("problem", problem)) if value}
    separator = "&" if "?" in path else "?"
    return redirect(f"{path}{separator}{urlencode(message)}" if message else path)
