"""What every page of the pretend Lever shares."""

from typing import ClassVar

from portal.devtools.sandbox.account_pages import AccountPages
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.lever.behaviour.platform import LeverPlatform
from portal.devtools.sandbox.lever.state.account import LeverAccount

ACCOUNT_COOKIE = "lever_account"


class LeverPages(AccountPages[LeverAccount]):
    """A group of the pretend Lever's pages."""

    folder: ClassVar[str] = "lever"

    def __init__(self, platform: LeverPlatform) -> None:
        super().__init__(platform.accounts)
        self._platform = platform

    def frame(self, request: Request, account: LeverAccount) -> dict[str, object]:
        """Return what the frame around every page shows."""
        return super().frame(request, account) | {"signed_in": account.super_admin()}


def sign_in(response: Response, account: LeverAccount) -> Response:
    """Remember in the browser which account it is signed in to."""
    response.set_cookie(ACCOUNT_COOKIE, account.slug, httponly=True, samesite="Lax")
    return response


def signed_in_slug(request: Request) -> str:
    """Return the slug of the account a browser is signed in to, or an empty string."""
    return request.cookies.get(ACCOUNT_COOKIE, "")
