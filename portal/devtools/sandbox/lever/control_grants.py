"""The control door: grants are given without a browser, revoked, and aged."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from portal.devtools.sandbox.http import Request, Response, json_response
from portal.devtools.sandbox.ids import pick
from portal.devtools.sandbox.lever.control_common import Door
from portal.devtools.sandbox.lever.oauth_pages import ASKED

if TYPE_CHECKING:
    from portal.devtools.sandbox.lever.server import LeverSandbox


class GrantDoor(Door):
    """What a Super Admin does under Authorized apps, and what time does to grants."""

    def __init__(self, server: "LeverSandbox") -> None:
        super().__init__(server)
        self.add(
            (
                ("POST", "consent", self.consent),
                ("POST", "revoke", self.revoke),
                ("POST", "expire", self.expire),
            )
        )

    def consent(self, request: Request) -> Response:
        """Accept the consent page at an authorize URL and answer where it leads."""
        body = request.json_object()
        account = self.account(body)
        query = parse_qs(urlsplit(pick(body, "url", str, "")).query)
        asked = {name: query.get(name, [""])[0] for name in ASKED}
        form = asked | {"account": account.slug, "decision": pick(body, "decision", str, "accept")}
        response = self.server.oauth.submit(form | {"role": pick(body, "role", str, "super admin")})
        return json_response({"redirect": dict(response.headers)["Location"]})

    def revoke(self, request: Request) -> Response:
        """Revoke the app's access to an account."""
        account = self.account(request.json_object())
        return json_response({"revoked": self.server.grants.revoke(account.slug)})

    def expire(self, request: Request) -> Response:
        """Let access tokens run out now; with `days`, also make the grants that much older."""
        body = request.json_object()
        account = self.account(body)
        expired = self.server.grants.expire_access(account.slug)
        self.server.grants.age(account.slug, float(pick(body, "days", int, 0)))
        return json_response({"expired": expired})
