"""The consent page, where a Super Admin lets an app use an account."""

from portal.devtools.sandbox.http.messages import Request, Response, Route, redirect, render
from portal.devtools.sandbox.lever.behaviour.consent import Consent, ConsentRequest
from portal.devtools.sandbox.lever.behaviour.platform import LeverPlatform
from portal.devtools.sandbox.lever.pages.base import sign_in, signed_in_slug
from portal.devtools.sandbox.lever.state.account import LeverAccount


class ConsentPages:
    """The page and its answer."""

    def __init__(self, platform: LeverPlatform) -> None:
        self._platform = platform
        self._consent = Consent(platform)

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        return [Route("GET", "/authorize", self.ask), Route("POST", "/authorize", self.decide)]

    def ask(self, request: Request) -> Response:
        """Show the consent page, or go straight back where the same was granted before."""
        asked = ConsentRequest.read(lambda name: request.args.get(name, ""))
        client = self._consent.check_client(asked)
        error_url = self._consent.error_url(asked)
        if error_url is not None:
            return redirect(error_url)
        signed_in = self._signed_in(request)
        repeat_url = self._consent.repeat_url(asked, signed_in) if signed_in else None
        if repeat_url is not None:
            return redirect(repeat_url)
        context = {
            "client": client,
            "asked": asked.parameters(),
            "scopes": sorted(asked.scopes),
            "accounts": self._platform.accounts.values(),
            "signed_in": signed_in or self._consent.account_to_offer(asked.scopes),
        }
        return render("lever/consent.html", context)

    def decide(self, request: Request) -> Response:
        """Grant or deny, and lead back to the app."""
        asked = ConsentRequest.read(request.field)
        account = self._platform.accounts.get(request.field("account"))
        role = request.field("role") or "super admin"
        answer = self._consent.answer(asked, request.field("decision"), account, role)
        response = redirect(answer.url)
        return sign_in(response, answer.signed_in) if answer.signed_in else response

    def _signed_in(self, request: Request) -> LeverAccount | None:
        """Return the account the browser is signed in to; the only account, where there is but one."""
        accounts = self._platform.accounts
        if len(accounts) == 1:
            return next(iter(accounts.values()))
        return accounts.get(request.args.get("login_hint") or signed_in_slug(request))
