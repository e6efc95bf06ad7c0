"""What every page of the pretend Lever shares: the signed-in account, the frame, the way back."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from portal.devtools.sandbox.http import Refusal, Request, Response, redirect
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.pages import render

if TYPE_CHECKING:
    from portal.devtools.sandbox.lever.server import LeverSandbox


ACCOUNT_COOKIE = "lever_account"


def sign_in(response: Response, account: LeverAccount) -> Response:
    """Remember in the browser which account it is signed in to."""
    cookie = f"{ACCOUNT_COOKIE}={account.slug}; Path=/; HttpOnly; SameSite=Lax"
    response.headers.append(("Set-Cookie", cookie))
    return response


class Pages:
    """A group of pages under /<account>/."""

    def __init__(self, server: "LeverSandbox") -> None:
        self.server = server

    def account(self, request: Request) -> LeverAccount:
        """Return the account in the path; raises a 404 Refusal."""
        account = self.server.account(request.params["account"])
        if account is None:
            raise Refusal(404, "There is no such account here.")
        return account

    def show(self, request: Request, template: str, tab: str, **context: Any) -> Response:
        """Return a page in the account's frame; hold the account's lock."""
        account = self.account(request)
        frame = {
            "account": account,
            "accounts": list(self.server.accounts.values()),
            "tab": tab,
            "done": request.arg("done"),
            "problem": request.arg("problem"),
            "signed_in": account.super_admin(),
        }
        return render(f"lever/{template}", frame | context)

    def back(self, path: str, done: str = "", problem: str = "") -> Response:
        """Lead back to a page with a word about what happened."""
        said = {key: value for key, value in (("done", done), ("problem", problem)) if value}
        separator = "&" if "?" in path else "?"
        return redirect(f"{path}{separator}{urlencode(said)}" if said else path)
