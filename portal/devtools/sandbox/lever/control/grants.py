"""Control calls about grants: given without a browser, revoked, and aged."""

from urllib.parse import parse_qs, urlsplit

from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response, json_response
from portal.devtools.sandbox.http.routing import Route, control_route
from portal.devtools.sandbox.json_values import pick
from portal.devtools.sandbox.lever.behaviour.consent import Consent, ConsentRequest
from portal.devtools.sandbox.lever.control.base import LeverControl


class GrantControl(LeverControl):
    """Acts as a Super Admin would under Authorized apps, and lets time pass for grants."""

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            control_route("POST", "consent", self.consent),
            control_route("POST", "revoke", self.revoke),
            control_route("POST", "expire", self.expire),
        ]

    def consent(self, request: Request) -> Response:
        """Answer the consent page at an authorize URL; the answer says where that leads."""
        body = request.json_object()
        account = self.account(body)
        query = parse_qs(urlsplit(pick(body, "url", str, "")).query)
        asked = ConsentRequest.read(lambda name: query.get(name, [""])[0])
        decision, role = pick(body, "decision", str, "accept"), pick(body, "role", str, "super admin")
        answer = Consent(self._platform).answer(asked, decision, account, role)
        return json_response({"redirect": answer.url})

    def revoke(self, request: Request) -> Response:
        """Revoke the app's access to an account."""
        account = self.account(request.json_object())
        return json_response({"revoked": self._platform.grants.revoke(account.slug)})

    def expire(self, request: Request) -> Response:
        """Expire access tokens now; with `days`, also make the grants that much older."""
        body = request.json_object()
        account = self.account(body)
        expired = self._platform.grants.expire_access(account.slug)
        self._platform.grants.age(account.slug, float(pick(body, "days", int, 0)))
        return json_response({"expired": expired})
