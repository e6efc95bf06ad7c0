"""What the pages share: their account, and the account that the browser is signed in to."""

from typing import ClassVar

from portal.devtools.sandbox.accounts import AccountPages
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.platform import LeverPlatform
from portal.devtools.sandbox.messages import HttpError, Request, Response

ACCOUNT_COOKIE = "lever_account"


class LeverPages(AccountPages[LeverAccount]):
    """A group of the pretend Lever's pages."""

    folder: ClassVar[str] = "lever"

    def __init__(self, platform: LeverPlatform) -> None:
        super().__init__(platform.accounts)
        self._platform = platform

    def signed_in(self, request: Request) -> LeverAccount:
        """Return the account that the browser is signed in to, else the first. Raises HttpError where there is none."""
        accounts = self._platform.accounts
        account = accounts.get(signed_in_slug(request)) or next(iter(accounts.values()), None)
        if not account:
            raise HttpError(404, "There is no account here yet.")
        return account


def sign_in(response: Response, account: LeverAccount) -> Response:
    """Remember in the browser which account it is signed in to."""
    response.set_cookie(ACCOUNT_COOKIE, account.slug, httponly=True, samesite="Lax")
    return response


def signed_in_slug(request: Request) -> str:
    """Return the slug of the account a browser is signed in to, or an empty string."""
    return request.cookies.get(ACCOUNT_COOKIE, "")
